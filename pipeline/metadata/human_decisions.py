"""Human decisions about served models: recorded in ML Metadata, never silent.

A promotion by override pushes the newest model that the gate refused; a rollback takes
the newest version out of service. Both change the blessing, so that the next run
compares itself with what is really served, and both leave an execution of the type
`HeedHumanDecision`, linked to the blessing it is about, a line in
`reports/decisions.jsonl` and an entry in `reports/decisions.json`.

A process may be killed between any two of these. So a decision holds the root's lock,
is written down whole before it acts, and acts in steps that can be repeated: the same
command finishes what an earlier one began (see `decision_intent`).
"""

from __future__ import annotations

import datetime
import getpass
import json
import os
import pathlib
import uuid
from collections.abc import Callable
from typing import Literal

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from components.pusher import executor as pusher
from pipeline import leftovers, root_lock
from pipeline.metadata import decision_history, decision_intent, mlmd
from schema import errors, files
from serving.bundle import integrity, manifest, versions

_LOG_FILE = "decisions.jsonl"

Tell = Callable[[str], None]
"""Shows people a sentence."""


def promote(
    root: pathlib.Path, pipeline: str, reason: str, tell: Tell = lambda sentence: None
) -> str:
    """Pushes the newest model although the gate refused it.

    Args:
      root: the run's directory.
      pipeline: the pipeline's name, the folder below `serving_models`.
      reason: why; kept with the decision.
      tell: called when all is done. A decision counts as unfinished until somebody was
        told of it: who saw nothing will ask again, and must not get a second one.

    Returns:
      The directory of the pushed version.

    Raises:
      InputError: there is no verdict, the newest model was not refused, no reason is
        given, or another process works in the root.
    """
    return _decide("promote", root, pipeline, reason, tell)


def rollback(
    root: pathlib.Path, pipeline: str, reason: str, tell: Tell = lambda sentence: None
) -> str:
    """Takes the newest version out of service; the one before it serves again.

    The arguments are those of `promote`.

    Returns:
      The directory of the version that serves now.

    Raises:
      InputError: fewer than two versions are there, the one that would serve is
        damaged, no reason is given, or another process works in the root.
    """
    return _decide("rollback", root, pipeline, reason, tell)


def _decide(
    decision: Literal["promote", "rollback"],
    root: pathlib.Path,
    pipeline: str,
    reason: str,
    tell: Tell,
) -> str:
    store = mlmd.open_store(root)
    if not reason.strip():
        raise errors.InputError("`--reason` must say why; it is kept with the decision")
    with root_lock.hold(root):
        leftovers.remove(root)
        intent = begun = decision_intent.pending(root)
        if begun is not None and begun.decision != decision:
            decision_intent.refuse_pending(root)
        if intent is None:
            plan = _plan_promotion if decision == "promote" else _plan_rollback
            intent = plan(store, _models_dir(root, pipeline), pipeline, reason)
            decision_intent.begin(root, intent)
        _carry_out(store, root, intent)
        serves = str(_models_dir(root, intent.pipeline) / str(intent.serves))
        done = {"promote": "pushed by override", "rollback": "in service again"}
        tell(f"{done[decision]}: {serves}")
        if begun is not None:
            tell(
                f"this finished the {decision} of version {begun.version} that was "
                f"begun at {begun.time} ({begun.reason}); nothing else was changed"
            )
        decision_intent.end(root)
    return serves


def _models_dir(root: pathlib.Path, pipeline: str) -> pathlib.Path:
    return root / "serving_models" / pipeline


def _plan_promotion(
    store: metadata_store.MetadataStore, base: pathlib.Path, pipeline: str, reason: str
) -> decision_intent.Intent:
    blessings = mlmd.blessings(store)
    if not blessings:
        raise errors.InputError("no model has come to the promotion gate yet")
    blessing = blessings[-1]
    if blessing.custom_properties["blessed"].int_value == 1:
        raise errors.InputError(
            "the newest model was blessed: there is nothing to override"
        )
    model_dir = os.path.join(
        blessing.custom_properties["current_model"].string_value, "Format-Serving"
    )
    if not os.path.isdir(model_dir):
        raise errors.InputError(
            f"the refused model is gone: {model_dir} is no directory; make it again "
            "with `heed run`"
        )
    version = pusher.choose_version(model_dir, str(base))
    return decision_intent.Intent(
        **_who_and_when("promote", pipeline, reason),
        version=version,
        serves=version,
        model_id=_model_id(blessing) or "",
        model_dir=model_dir,
        blessings=(blessing.id,),
    )


def _plan_rollback(
    store: metadata_store.MetadataStore, base: pathlib.Path, pipeline: str, reason: str
) -> decision_intent.Intent:
    present = versions.numbers(str(base))
    if len(present) < 2:
        raise errors.InputError(
            f"{base} holds {len(present)} version(s); a rollback needs one to go back "
            "to"
        )
    if (base / versions.WITHDRAWN_DIR / str(present[-1])).exists():
        raise errors.InputError(
            f"{base / versions.WITHDRAWN_DIR} holds another version {present[-1]}, "
            "which was withdrawn earlier: move it elsewhere"
        )
    # What serves next must be a model that can serve.
    integrity.check(base / str(present[-2]))
    model_id = _told_id(base / str(present[-1]))
    about = [b for b in mlmd.blessings(store) if model_id and _model_id(b) == model_id]
    return decision_intent.Intent(
        **_who_and_when("rollback", pipeline, reason),
        version=present[-1],
        serves=present[-2],
        model_id=model_id or "",
        blessings=tuple(blessing.id for blessing in about),
    )


def _told_id(version: pathlib.Path) -> str | None:
    """Returns the id of the model that is withdrawn: a damaged one may tell none."""
    try:
        return manifest.model_id(version)
    except errors.InputError:
        return None


def _who_and_when(decision: str, pipeline: str, reason: str) -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # Containers may run as a number that has no name.
        user = str(os.getuid())
    return {
        "key": uuid.uuid4().hex,
        "decision": decision,
        "pipeline": pipeline,
        "reason": reason,
        "user": user,
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    }


def _model_id(blessing: metadata_store_pb2.Artifact) -> str | None:
    verdict = decision_history.verdict(blessing)
    return verdict.model_id if verdict else None


def _carry_out(
    store: metadata_store.MetadataStore,
    root: pathlib.Path,
    intent: decision_intent.Intent,
) -> None:
    """Takes all steps; one that was taken already changes nothing."""
    try:
        _change_versions(store, root, intent)
    except Exception:
        # It changes all or nothing: there is nothing to finish.
        decision_intent.end(root)
        raise
    _change_blessings(store, intent)
    _record(store, intent)
    _append_to_log(root, intent)
    decision_history.write(root)


def _change_versions(
    store: metadata_store.MetadataStore,
    root: pathlib.Path,
    intent: decision_intent.Intent,
) -> None:
    base = _models_dir(root, intent.pipeline)
    if intent.decision == "promote":
        (blessing,) = store.get_artifacts_by_id(list(intent.blessings))
        verdict = blessing.custom_properties["verdict"].string_value
        os.makedirs(base, exist_ok=True)
        pusher.push(intent.model_dir, str(base), verdict, intent.version)
        return
    version = base / str(intent.version)
    if version.exists():
        (base / versions.WITHDRAWN_DIR).mkdir(exist_ok=True)
        os.replace(version, base / versions.WITHDRAWN_DIR / version.name)


def _change_blessings(
    store: metadata_store.MetadataStore, intent: decision_intent.Intent
) -> None:
    blessings = store.get_artifacts_by_id(list(intent.blessings))
    is_promotion = intent.decision == "promote"
    for blessing in blessings:
        properties = blessing.custom_properties
        properties["blessed"].int_value = int(is_promotion)
        name = "override_reason" if is_promotion else "rollback_reason"
        properties[name].string_value = intent.reason
    if blessings:
        store.put_artifacts(blessings)


def _entry(intent: decision_intent.Intent) -> dict[str, str]:
    names = ("key", "decision", "reason", "version", "model_id", "user", "time")
    return {name: str(getattr(intent, name)) for name in names}


def _record(
    store: metadata_store.MetadataStore, intent: decision_intent.Intent
) -> None:
    kind = decision_history.HUMAN_DECISION
    type_id = store.put_execution_type(metadata_store_pb2.ExecutionType(name=kind))
    if store.get_execution_by_type_and_name(kind, intent.key) is not None:
        return
    execution = metadata_store_pb2.Execution(
        type_id=type_id,
        name=intent.key,
        last_known_state=metadata_store_pb2.Execution.COMPLETE,
    )
    for name, value in _entry(intent).items():
        execution.custom_properties[name].string_value = value
    about = [
        (blessing, metadata_store_pb2.Event(type=metadata_store_pb2.Event.INPUT))
        for blessing in store.get_artifacts_by_id(list(intent.blessings))
    ]
    store.put_execution(execution, about, [])


def _append_to_log(root: pathlib.Path, intent: decision_intent.Intent) -> None:
    path = root / "reports" / _LOG_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if any(intent.key in line for line in lines):
        return
    # Whole or not at all: a killed process leaves no half line.
    lines.append(json.dumps(_entry(intent)))
    files.write_atomically(path, "".join(f"{line}\n" for line in lines))
