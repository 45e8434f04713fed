"""Whether the files of a served model are still those that were exported.

The manifest tells the SHA-256 of each of them, and of itself. They are read once a
load: about a second for each gigabyte. This finds accidents (a torn copy, a bit that
flipped, files of two models mixed); whoever can write a file can write its digest.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schema import errors, files
from serving.bundle import manifest

_FILES, _MANIFEST = "sha256", "manifest_sha256"
_EXTRA = "assets.extra" + os.sep
"""TensorFlow reads nothing there: what comes later, such as a signature, may lie
there."""
_BLOCK_BYTES = 2**20


class DamagedModelError(errors.InputError):
    """A file of a model is not the one that was exported."""


def write_manifest(directory: str, content: Mapping[str, Any]) -> None:
    """Writes the manifest of an exported model; it comes after all other files.

    Args:
      directory: of the SavedModel.
      content: all but the digests.
    """
    path = os.path.join(directory, manifest.MANIFEST_FILE)
    hashes = {
        name: _sha256(os.path.join(directory, name))
        for name in sorted(_names(directory))
        if name != manifest.MANIFEST_FILE
    }
    whole = {**content, _FILES: hashes}
    whole.pop(_MANIFEST, None)
    whole[_MANIFEST] = _of_json(whole)
    files.write_atomically(path, json.dumps(whole, indent=1, sort_keys=True))


def check(directory: str | Path) -> str | None:
    """Returns the digest of a whole model, after each file was compared with its own.

    Args:
      directory: of the SavedModel, on this machine or where TensorFlow can read.

    Returns:
      64 hexadecimal digits that change with any file; None: the model has no digests.

    Raises:
      DamagedModelError: a file differs, is missing, or is none of the model.
    """
    folder = os.fspath(directory)
    path = os.path.join(folder, manifest.MANIFEST_FILE)
    described = manifest.read(folder)
    expected = described.get(_FILES)
    if expected is None:
        return None
    sealed = described.pop(_MANIFEST, None)
    # Manifests of earlier versions tell nothing of themselves.
    found = _of_json(described)
    if sealed not in (None, found):
        raise _damaged(path, f"expected SHA-256 {sealed}; got {found}")
    present = set(_names(folder))
    for name, wanted in sorted(expected.items()):
        if name not in present:
            raise _damaged(
                os.path.join(folder, name), f"expected SHA-256 {wanted}; it is missing"
            )
        got = _sha256(os.path.join(folder, name))
        if got != wanted:
            raise _damaged(
                os.path.join(folder, name), f"expected SHA-256 {wanted}; got {got}"
            )
    for name in sorted(present - set(expected)):
        if not name.startswith(_EXTRA) and not os.path.basename(name).startswith("."):
            raise _damaged(
                os.path.join(folder, name), f"expected no such file by {path}; got one"
            )
    return hashlib.sha256(files.read_bytes(path)).hexdigest()


def require(directory: str | Path) -> str:
    """Returns the digest as `check` does, of a model that must have one.

    Raises:
      DamagedModelError: besides, the model has no digests.
    """
    digest = check(directory)
    if digest is None:
        path = os.path.join(directory, manifest.MANIFEST_FILE)
        raise _damaged(path, f"expected `{_FILES}` with the digest of each file")
    return digest


def _damaged(path: str, difference: str) -> DamagedModelError:
    return DamagedModelError(
        f"{path} is not the file that was exported: {difference}. It was changed, "
        "damaged or half copied; copy the whole model again from where it is whole, or "
        "make it anew with `heed run`"
    )


def _of_json(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _names(directory: str) -> Iterator[str]:
    """Yields the files below a directory by their relative paths."""
    if "://" in directory:
        import tensorflow as tf

        walked = tf.io.gfile.walk(directory)
    else:
        walked = os.walk(directory, followlinks=True)
    for folder, _, names in walked:
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), directory)


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with _open(path) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _open(path: str) -> Any:
    if "://" not in path:
        return open(path, "rb")
    import tensorflow as tf

    return tf.io.gfile.GFile(path, "rb")
