"""The versions of a model below a directory, as TensorFlow Serving lays them out."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from schema import errors

MODEL_FILE = "saved_model.pb"
MAX_DIGITS = 19
"""Of an int64, which TensorFlow Serving takes for a version."""
WITHDRAWN_DIR = ".withdrawn"
"""Beside the versions: those that people took out of service."""


class VersionDir(NamedTuple):
    """One version of a model on disk."""

    number: int
    """The directory's name as an integer."""
    path: Path
    fingerprint: int
    """Changes with any file of the version, so that one that was read half copied is
    read again."""


def list_versions(models_dir: str | Path) -> list[VersionDir]:
    """Returns the versions below a directory, oldest first.

    Only directories with an integer for a name and a `saved_model.pb` inside count:
    that file is copied last, so a version that has it is complete.
    """
    versions = []
    try:
        children = list(Path(models_dir).iterdir())
    except OSError:
        return []
    for child in children:
        if is_number(child.name) and (child / MODEL_FILE).is_file():
            versions.append(VersionDir(int(child.name), child, _fingerprint(child)))
    return sorted(versions)


def is_number(name: str) -> bool:
    """Returns whether a name can be a version: digits that fit an int64.

    Example:
      >>> is_number("1700000000"), is_number("9" * 19), is_number(".withdrawn")
      (True, False, False)
    """
    if not (name.isascii() and name.isdigit() and len(name) <= MAX_DIGITS):
        return False
    return int(name) < 2**63


def numbers(models_dir: str) -> list[int]:
    """Returns the complete versions below a directory, ascending.

    Args:
      models_dir: On this machine or where TensorFlow can read (`gs://bucket/...`).
    """
    import tensorflow as tf

    gfile = tf.io.gfile
    if not gfile.exists(models_dir):
        return []
    # Object stores end the name of a directory with a slash.
    names = (name.rstrip("/") for name in gfile.listdir(models_dir))
    return sorted(
        int(name)
        for name in names
        if is_number(name) and gfile.exists(f"{models_dir}/{name}/{MODEL_FILE}")
    )


def _fingerprint(version_dir: Path) -> int:
    files = []
    for path in version_dir.rglob("*"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            # A copy may keep the time of the change, and never that of the inode.
            changed = (stat.st_mtime_ns, stat.st_ctime_ns)
            files.append((str(path), stat.st_size, *changed))
    return hash(tuple(sorted(files)))


def latest_version_dir(models_dir: str | Path) -> Path:
    """Returns the newest version's directory.

    Raises:
      InputError: There is no such directory, or no version in it.
    """
    models_dir = Path(models_dir)
    if not models_dir.is_dir():
        raise errors.InputError(f"the models directory {models_dir} does not exist")
    versions = list_versions(models_dir)
    if not versions:
        found = ", ".join(sorted(p.name for p in models_dir.iterdir())[:5]) or "nothing"
        raise errors.InputError(
            f"{models_dir} holds no model: expected VERSION/{MODEL_FILE} with an "
            f"integer for VERSION; found {found}"
        )
    return versions[-1].path


def resolve(path: str | Path) -> Path:
    """Returns the version directory that a path means: itself, or its newest version.

    Raises:
      InputError: The path is neither.
    """
    path = Path(path)
    return path if (path / MODEL_FILE).is_file() else latest_version_dir(path)
