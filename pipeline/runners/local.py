"""Runs the pipeline in this process, with progress, reports and a lock."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.proto.orchestration import pipeline_pb2

from components import progress
from pipeline import data_steps, interrupts, leftovers, root_lock
from pipeline import pipeline as heed_pipeline
from pipeline.metadata import decision_history, decision_intent, executions, mlmd
from pipeline.runners import console, nodes, reports
from schema import errors, settings

Outputs = dict[str, executions.NodeOutputs]
"""Node to what it put out, now or, where it was cached, before."""
OnSteps = Callable[[list[str]], console.StepDisplay]
"""Makes the display of progress once the steps are known."""
Create = Callable[
    [
        settings.HeedConfig,
        data_steps.Locations,
        metadata_store_pb2.ConnectionConfig,
        tuple[str, ...],
    ],
    tfx_pipeline.Pipeline,
]
"""Makes a pipeline, as `pipeline.create_pipeline` does."""

_TEMPORARY_FOLDER = ".tmp"
_IN_PROCESS_RUNNERS = ("--runner=FnApiRunner", "--runner=DirectRunner")
_DEPENDENCY_FLAGS = (
    "--setup_file",
    "--extra_package",
    "--requirements_file",
    "--sdk_container_image",
    "--worker_harness_container_image",
)


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a finished run came to."""

    blessed: bool
    pushed_version: str | None
    rollback_reason: str
    """Why a person withdrew this model earlier; empty: nobody did."""
    override_reason: str
    """Why a person let it serve although the gate refused it; empty: nobody did."""
    cached_nodes: tuple[str, ...]


def beam_args(args: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the arguments, told that in-process workers need no packages.

    For non-empty arguments without one of the dependency flags, TFX packs a source
    distribution of itself before every Beam executor. A runner inside this process
    stages nothing, and any of the flags says so.
    """
    in_process = any(arg in _IN_PROCESS_RUNNERS for arg in args)
    staged = any(arg.startswith(_DEPENDENCY_FLAGS) for arg in args)
    if in_process and not staged and "multi_processing" not in " ".join(args):
        return (*args, "--sdk_container_image=none")
    return args


@contextlib.contextmanager
def _own_temporary_folder(root: str) -> Iterator[None]:
    """Keeps what TFX and Beam leave behind in one folder, and removes it.

    The caller holds the root's lock: what is there already is of a run that was killed.
    """
    before = tempfile.tempdir
    folder = os.path.join(root, _TEMPORARY_FOLDER)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def run(
    config: settings.HeedConfig,
    root: str,
    on_steps: OnSteps | None = None,
    create: Create = heed_pipeline.create_pipeline,
) -> RunResult:
    """Runs all steps in order; finished ones are reused when nothing changed.

    Args:
      config: the resolved configuration.
      root: the run's directory, created if missing.
      on_steps: makes the display of progress once the steps are known; None: nobody
        looks.
      create: makes a pipeline that ends with gate and Pusher, once the root is locked.

    Raises:
      InputError: bad input, or another run holds the root.
      Exception: whatever a step raised.
    """
    ran = run_steps(config, root, on_steps, create)
    blessing = ran["PromotionGate"].artifacts["blessing"]
    pushed = ran["Pusher"].artifacts["pushed_model"]
    is_pushed = nodes.is_pushed(ran["Pusher"])
    version = mlmd.property_of(pushed, "pushed_version")
    blessed = mlmd.property_of(blessing, "blessed") == 1
    return RunResult(
        blessed=blessed,
        rollback_reason="" if blessed else _told(blessing, "rollback_reason"),
        override_reason=_told(blessing, "override_reason") if blessed else "",
        pushed_version=version if is_pushed else None,
        cached_nodes=tuple(n for n, found in ran.items() if found.cached),
    )


def _told(blessing: metadata_store_pb2.Artifact, name: str) -> str:
    return str(mlmd.property_of(blessing, name) or "")


def run_steps(
    config: settings.HeedConfig, root: str, on_steps: OnSteps | None, create: Create
) -> Outputs:
    """Runs the steps of any pipeline of ours; see `run`."""
    root = os.path.abspath(root)
    os.makedirs(root, exist_ok=True)
    with root_lock.hold(root), _own_temporary_folder(root):
        decision_intent.refuse_pending(root)
        _check_metadata(root)
        leftovers.remove(root)
        ir = nodes.compile_pipeline(pipeline_in(root, config, create))
        reports.clear(root, nodes.node_ids(ir))
        display = on_steps(nodes.node_ids(ir)) if on_steps else None
        with display or contextlib.nullcontext():
            return _run_nodes(ir, root, display)


def _check_metadata(root: str) -> None:
    """Raises `InputError` where artifacts are left of metadata that are gone.

    Numbers of executions would begin again, and name folders that are there already.
    """
    folder = pathlib.Path(root, "artifacts")
    if os.path.exists(os.path.join(root, "metadata.sqlite")):
        return
    if any(path.name.isdigit() for path in folder.glob("*/*/*")):
        raise errors.InputError(
            f"{folder} is of runs whose metadata.sqlite is gone: nothing in it can be "
            "reused. Bring metadata.sqlite back, or move the folder away and run again "
            f"(mv {folder} {folder}.old); what is served stays as it is"
        )


def pipeline_in(
    root: str,
    config: settings.HeedConfig,
    create: Create = heed_pipeline.create_pipeline,
) -> tfx_pipeline.Pipeline:
    """Returns the pipeline that keeps everything, metadata included, in a directory."""
    return create(
        config,
        locations(root),
        heed_pipeline.sqlite_connection(os.path.join(root, "metadata.sqlite")),
        beam_args(config.beam.args),
    )


def locations(root: str) -> data_steps.Locations:
    """Returns where a run in this directory reads and writes."""
    return data_steps.Locations(
        artifacts=os.path.join(root, "artifacts"),
        serving_models=os.path.join(root, "serving_models"),
    )


def _run_nodes(
    ir: pipeline_pb2.Pipeline, root: str, display: console.StepDisplay | None
) -> Outputs:
    run_id = datetime.datetime.now(datetime.timezone.utc).isoformat()
    nodes.set_run_id(ir, run_id)
    outputs: dict[str, executions.NodeOutputs | None] = {}
    for node_id in nodes.node_ids(ir):
        if display:
            display.start(node_id)
        stop_listening = progress.listen(display.advance) if display else None
        try:
            interrupts.check()
            found = nodes.launch(ir, node_id, run_id)
            interrupts.check()
        except BaseException:
            if display:
                display.finish(node_id, "failed")
            reports.publish_of_failed(root, node_id)
            raise
        finally:
            if stop_listening:
                stop_listening()
        outputs[node_id] = found
        reports.publish(root, node_id, found)
        if node_id == "PromotionGate":
            decision_history.write(pathlib.Path(root))
        if display:
            display.finish(node_id, "cached" if found and found.cached else "done")
    return {n: found for n, found in outputs.items() if found is not None}
