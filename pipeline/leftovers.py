"""What processes that were killed left in a run's directory.

Who removes it holds the root's lock, so nobody alive is at work on it: half copied
versions, files written aside, and the temporary folders of TFX and Beam.
"""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Iterator

from components.pusher import executor as pusher
from schema import files

_TEMPORARY_FOLDERS = (".temp", "beam-temp-")
"""TFX's for each execution; the beginning of Beam's, beside what it writes."""


def remove(root: str | os.PathLike[str]) -> None:
    """Removes what is left of dead processes; the caller holds the root's lock."""
    for path in [*_found(pathlib.Path(root))]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def is_temporary(folder: str) -> bool:
    """Returns whether a folder below `artifacts` is one that TFX or Beam leaves behind.

    Example:
      >>> is_temporary("beam-temp-x-1"), is_temporary("Split-train")
      (True, False)
    """
    return folder.startswith(_TEMPORARY_FOLDERS)


def _found(root: pathlib.Path) -> Iterator[pathlib.Path]:
    for folder in (root, root / "reports"):
        if folder.is_dir():
            yield from (p for p in folder.iterdir() if files.is_aside(p.name))
    yield from root.glob(f"serving_models/*/{pusher.INCOMPLETE_PREFIX}*")
    for place, folders, names in os.walk(root / "artifacts"):
        left = [name for name in folders if is_temporary(name)]
        folders[:] = [name for name in folders if name not in left]
        left += [name for name in names if files.is_aside(name)]
        yield from (pathlib.Path(place, name) for name in left)
