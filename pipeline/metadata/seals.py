"""Artifacts are sealed when their step ends, and are reused only as they were.

TFX asks whether the folder of an artifact exists, and looks no further. A seal lists
its files: size, time of the last change, SHA-256. A file of the same size and time is
trusted; one whose time differs is read again. Folders on this machine alone are sealed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline import leftovers
from pipeline.metadata import executions, mlmd
from schema import errors, files
from serving.bundle import integrity

_OUTPUT_EVENTS = (
    metadata_store_pb2.Event.OUTPUT,
    metadata_store_pb2.Event.DECLARED_OUTPUT,
)
_SEAL = "seal"
"""Custom property of an artifact: JSON, file to [bytes, nanoseconds, SHA-256]."""
_SUFFIX = ".incomplete"
_BLOCK_BYTES = 2**20


def seal(store: metadata_store.MetadataStore, outputs: executions.NodeOutputs) -> None:
    """Writes down the files of what a step has put out."""
    sealed = [a for a in outputs.artifacts.values() if os.path.isdir(a.uri)]
    for artifact in sealed:
        listed = {
            name: [*_size_and_time(path), _sha256(path)]
            for name, path in sorted(_files(artifact.uri))
        }
        artifact.custom_properties[_SEAL].string_value = json.dumps(listed)
    if sealed:
        store.put_artifacts(sealed)


def set_aside(
    store: metadata_store.MetadataStore, node_id: str, pipeline: str
) -> dict[str, str]:
    """Renames the changed outputs of a node, so that they count as missing.

    Nothing is deleted.

    Args:
      store: the metadata store.
      node_id: the component's id.
      pipeline: the pipeline's name.

    Returns:
      The folders as they were named, and what is wrong with each.
    """
    made = list(_outputs(store, node_id, pipeline))
    found = {a.uri: _difference(a) for a in made if os.path.isdir(a.uri)}
    # Of the versions that were pushed, the last one alone is still promised.
    for last in [a for a in made if os.path.isdir(a.uri)][-1:]:
        found[last.uri] = found[last.uri] or _lost_version(last)
    changed = {uri: reason for uri, reason in found.items() if reason}
    for uri in changed:
        os.rename(uri, uri.rstrip("/") + _SUFFIX)
    return changed


def refuse_changed(artifacts: Iterable[metadata_store_pb2.Artifact]) -> None:
    """Raises `InputError` where an artifact is not as its step left it.

    For what an earlier run made and this one cannot make anew.
    """
    for artifact in artifacts:
        reason = _difference(artifact)
        if reason:
            raise errors.InputError(
                f"{artifact.uri} was changed after its step ended: {reason}; make it "
                "anew with `heed run`"
            )


def _outputs(
    store: metadata_store.MetadataStore, node_id: str, pipeline: str
) -> Iterator[metadata_store_pb2.Artifact]:
    node = store.get_context_by_type_and_name("node", f"{pipeline}.{node_id}")
    if node is None:
        return
    made_in = [found.id for found in store.get_executions_by_context(node.id)]
    events = store.get_events_by_execution_ids(made_in) if made_in else []
    made = {event.artifact_id for event in events if event.type in _OUTPUT_EVENTS}
    if made:
        found = store.get_artifacts_by_id(sorted(made))
        yield from sorted(found, key=lambda artifact: artifact.id)


def _difference(artifact: metadata_store_pb2.Artifact) -> str:
    """Returns what differs from the seal; empty: nothing."""
    text = mlmd.property_of(artifact, _SEAL)
    if text is None:
        return _lost_split(artifact)
    sealed = json.loads(text)
    present = dict(_files(artifact.uri))
    for name, (size, time, digest) in sealed.items():
        if name not in present:
            return f"{name} is missing"
        now = _size_and_time(present[name])
        if now[0] != size:
            return f"{name} has {now[0]} bytes instead of {size}"
        if now[1] != time and _sha256(present[name]) != digest:
            return f"{name} has other content"
    added = sorted(present.keys() - sealed.keys())
    return f"{added[0]} was added" if added else ""


def _lost_split(artifact: metadata_store_pb2.Artifact) -> str:
    """Returns which split has no files: all that is known without a seal."""
    names = artifact.properties["split_names"].string_value
    for split in json.loads(names or "[]"):
        folder = os.path.join(artifact.uri, f"Split-{split}")
        if not (os.path.isdir(folder) and os.listdir(folder)):
            return f"Split-{split} has no files"
    return ""


def _lost_version(artifact: metadata_store_pb2.Artifact) -> str:
    """Returns what is wrong with the version that an artifact says was pushed."""
    pushed = mlmd.property_of(artifact, "pushed_destination")
    if not pushed or "://" in pushed:
        return ""
    try:
        integrity.require(pushed)
    except errors.InputError as error:
        return str(error)
    return ""


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Yields the name below the folder and the path of each file that is to stay."""
    for place, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not leftovers.is_temporary(f)]
        for name in names:
            path = os.path.join(place, name)
            if not files.is_aside(name):
                yield os.path.relpath(path, folder), path


def _size_and_time(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
