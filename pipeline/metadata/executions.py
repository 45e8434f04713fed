"""What a run has produced so far, read from ML Metadata."""

from __future__ import annotations

import dataclasses

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

_CACHED = metadata_store_pb2.Execution.CACHED
_OUTPUT_EVENTS = (
    metadata_store_pb2.Event.OUTPUT,
    metadata_store_pb2.Event.DECLARED_OUTPUT,
)


@dataclasses.dataclass(frozen=True)
class NodeOutputs:
    """The outputs of one node in one run."""

    cached: bool
    artifacts: dict[str, metadata_store_pb2.Artifact]
    """Output key to its (single) artifact."""


def node_outputs(
    store: metadata_store.MetadataStore, run_id: str, node_id: str, pipeline: str
) -> NodeOutputs | None:
    """Returns the outputs of a node in a run; None before it has finished.

    Args:
      store: the metadata store.
      run_id: the pipeline run's id.
      node_id: the component's id.
      pipeline: the pipeline's name.
    """
    run = store.get_context_by_type_and_name("pipeline_run", run_id)
    node = store.get_context_by_type_and_name("node", f"{pipeline}.{node_id}")
    if run is None or node is None:
        return None
    of_run = {e.id for e in store.get_executions_by_context(run.id)}
    executions = [e for e in store.get_executions_by_context(node.id) if e.id in of_run]
    if not executions:
        return None
    execution = max(executions, key=lambda e: e.id)
    events = store.get_events_by_execution_ids([execution.id])
    key_of = {
        event.artifact_id: event.path.steps[0].key
        for event in events
        if event.type in _OUTPUT_EVENTS and event.path.steps
    }
    artifacts = store.get_artifacts_by_id(list(key_of)) if key_of else []
    return NodeOutputs(
        cached=execution.last_known_state == _CACHED,
        artifacts={key_of[artifact.id]: artifact for artifact in artifacts},
    )
