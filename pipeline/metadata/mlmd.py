"""The metadata file of a run's directory, and the verdicts in it."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from schema import errors


def open_store(root: str | os.PathLike[str]) -> metadata_store.MetadataStore:
    """Returns the store of a run's directory.

    Raises:
      InputError: no run was made there.
    """
    path = pathlib.Path(root, "metadata.sqlite")
    if not path.is_file():
        raise errors.InputError(
            f"{root} holds no metadata.sqlite: no run was made there"
        )
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    return metadata_store.MetadataStore(config)


def blessings(store: metadata_store.MetadataStore) -> list[metadata_store_pb2.Artifact]:
    """Returns the gate's verdicts, oldest first; perhaps none."""
    found = [
        artifact
        for artifact in store.get_artifacts_by_type("ModelBlessing")
        if artifact.state == metadata_store_pb2.Artifact.LIVE
    ]
    return sorted(found, key=lambda artifact: artifact.id)


def property_of(artifact: metadata_store_pb2.Artifact, name: str) -> Any:
    """Returns a custom property's value, or None."""
    if name not in artifact.custom_properties:
        return None
    value = artifact.custom_properties[name]
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
