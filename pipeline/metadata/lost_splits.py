"""Artifacts that lost the folder of a split are no longer answers of the cache.

TFX asks whether the folder of an artifact exists, and looks no further.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

_OUTPUT_EVENTS = (
    metadata_store_pb2.Event.OUTPUT,
    metadata_store_pb2.Event.DECLARED_OUTPUT,
)
_SUFFIX = ".incomplete"


def set_aside(
    store: metadata_store.MetadataStore, node_id: str, pipeline: str
) -> list[str]:
    """Renames the incomplete outputs of a node, so that they count as missing.

    Folders on this machine only; nothing is deleted.

    Args:
      store: the metadata store.
      node_id: the component's id.
      pipeline: the pipeline's name.

    Returns:
      The folders as they were named.
    """
    lost = [
        artifact.uri
        for artifact in _outputs(store, node_id, pipeline)
        if os.path.isdir(artifact.uri) and not _is_whole(artifact)
    ]
    for uri in lost:
        os.rename(uri, uri.rstrip("/") + _SUFFIX)
    return lost


def _outputs(
    store: metadata_store.MetadataStore, node_id: str, pipeline: str
) -> Iterator[metadata_store_pb2.Artifact]:
    node = store.get_context_by_type_and_name("node", f"{pipeline}.{node_id}")
    if node is None:
        return
    executions = [found.id for found in store.get_executions_by_context(node.id)]
    events = store.get_events_by_execution_ids(executions) if executions else []
    made = {event.artifact_id for event in events if event.type in _OUTPUT_EVENTS}
    if made:
        yield from store.get_artifacts_by_id(sorted(made))


def _is_whole(artifact: metadata_store_pb2.Artifact) -> bool:
    """Returns whether every split of an artifact has a folder that holds something."""
    names = artifact.properties["split_names"].string_value
    folders = [
        os.path.join(artifact.uri, f"Split-{split}")
        for split in json.loads(names or "[]")
    ]
    return all(os.path.isdir(folder) and os.listdir(folder) for folder in folders)
