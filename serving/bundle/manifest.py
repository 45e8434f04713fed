"""What a served model says of itself: `assets.extra/manifest.json`."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from schema import files

MANIFEST_FILE = os.path.join("assets.extra", "manifest.json")


def read(directory: str | Path) -> dict[str, Any]:
    """Returns what IndexBuilder wrote about the model; empty if there is nothing."""
    try:
        content = files.read_bytes(os.path.join(directory, MANIFEST_FILE))
    except FileNotFoundError:
        return {}
    return dict(json.loads(content))


def model_id(directory: str | Path) -> str | None:
    """Returns the digest that ties reports to the model; None where it has none."""
    return read(directory).get("model_id")


def max_length(directory: str | Path) -> int | None:
    """Returns how many elements of a history the model reads; None: not known."""
    history = read(directory).get("config", {}).get("history", {})
    length: int | None = history.get("max_length")
    return length


def write(directory: str, content: dict[str, Any]) -> None:
    """Writes the manifest of an exported model, with the hashes of its files.

    Args:
      directory: of the SavedModel.
      content: all but `sha256`.
    """
    whole = {**content, "sha256": file_hashes(directory)}
    files.write_atomically(
        os.path.join(directory, MANIFEST_FILE),
        json.dumps(whole, indent=1, sort_keys=True),
    )


def file_hashes(directory: str) -> dict[str, str]:
    """Returns the SHA-256 of each file of a SavedModel, by its relative path."""
    import tensorflow as tf

    hashes = {}
    for folder, _, names in tf.io.gfile.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            digest = hashlib.sha256()
            with tf.io.gfile.GFile(path, "rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
            hashes[os.path.relpath(path, directory)] = digest.hexdigest()
    return dict(sorted(hashes.items()))
