"""Human decisions about served models: recorded in ML Metadata, never silent.

A promotion by override pushes the newest model that the gate refused; a rollback takes
the newest version out of service. Both change the blessing, so that the next run
compares itself with what is really served, and both leave an execution of the type
`HeedHumanDecision`, linked to the blessing it is about, a line in
`reports/decisions.jsonl` and an entry in `reports/decisions.json`.
"""

from __future__ import annotations

import datetime
import getpass
import json
import os
import pathlib

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from components.pusher import executor as pusher
from pipeline.metadata import decision_history, mlmd
from schema import errors
from serving.bundle import manifest, versions

_WITHDRAWN = ".withdrawn"
_LOG_FILE = "decisions.jsonl"


def promote(root: pathlib.Path, pipeline: str, reason: str) -> str:
    """Pushes the newest model although the gate refused it.

    Args:
      root: the run's directory.
      pipeline: the pipeline's name, the folder below `serving_models`.
      reason: why; kept with the decision.

    Returns:
      The directory of the pushed version.

    Raises:
      InputError: there is no verdict, the newest model was not refused, or no reason
        is given.
    """
    store = mlmd.open_store(root)
    _check_reason(reason)
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
    base = str(root / "serving_models" / pipeline)
    os.makedirs(base, exist_ok=True)
    version_dir = pusher.push(
        model_dir, base, blessing.custom_properties["verdict"].string_value
    )
    blessing.custom_properties["blessed"].int_value = 1
    blessing.custom_properties["override_reason"].string_value = reason
    store.put_artifacts([blessing])
    _record(store, root, "promote", reason, version_dir, [blessing])
    return version_dir


def rollback(root: pathlib.Path, pipeline: str, reason: str) -> str:
    """Takes the newest version out of service; the one before it serves again.

    The arguments are those of `promote`.

    Returns:
      The directory of the version that serves now.

    Raises:
      InputError: fewer than two versions are there, or no reason is given.
    """
    store = mlmd.open_store(root)
    _check_reason(reason)
    base = root / "serving_models" / pipeline
    present = versions.numbers(str(base))
    if len(present) < 2:
        raise errors.InputError(
            f"{base} holds {len(present)} version(s); a rollback needs one to go back "
            "to"
        )
    newest = base / str(present[-1])
    model_id = manifest.model_id(newest)
    (base / _WITHDRAWN).mkdir(exist_ok=True)
    os.replace(newest, base / _WITHDRAWN / newest.name)
    withdrawn = [b for b in mlmd.blessings(store) if _model_id(b) == model_id]
    for blessing in withdrawn:
        blessing.custom_properties["blessed"].int_value = 0
        blessing.custom_properties["rollback_reason"].string_value = reason
    store.put_artifacts(withdrawn)
    _record(store, root, "rollback", reason, str(newest), withdrawn)
    return str(base / str(present[-2]))


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise errors.InputError("`--reason` must say why; it is kept with the decision")


def _model_id(blessing: metadata_store_pb2.Artifact) -> str | None:
    verdict = decision_history.verdict(blessing)
    return verdict.model_id if verdict else None


def _record(
    store: metadata_store.MetadataStore,
    root: pathlib.Path,
    decision: str,
    reason: str,
    version_dir: str,
    blessings: list[metadata_store_pb2.Artifact],
) -> None:
    model_id = _model_id(blessings[0]) if blessings else None
    entry = {
        "decision": decision,
        "reason": reason,
        "version": os.path.basename(version_dir),
        "model_id": model_id or "",
        "user": getpass.getuser(),
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    }
    execution_type = metadata_store_pb2.ExecutionType(
        name=decision_history.HUMAN_DECISION
    )
    execution = metadata_store_pb2.Execution(
        type_id=store.put_execution_type(execution_type),
        last_known_state=metadata_store_pb2.Execution.COMPLETE,
    )
    for name, value in entry.items():
        execution.custom_properties[name].string_value = value
    about = [
        (blessing, metadata_store_pb2.Event(type=metadata_store_pb2.Event.INPUT))
        for blessing in blessings
    ]
    store.put_execution(execution, about, [])
    (root / "reports").mkdir(exist_ok=True)
    with (root / "reports" / _LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    decision_history.write(root)
