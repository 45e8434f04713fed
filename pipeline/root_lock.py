"""A run's directory belongs to one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from schema import errors

_LOCK_FILE = ".lock"


@contextlib.contextmanager
def hold(root: str | os.PathLike[str], option: str = "--root") -> Iterator[None]:
    """Holds the lock of a run's directory; it goes with the process, however it ends.

    Runs change the metadata and what is served, and so do people's decisions: two at
    once would undo each other.

    Args:
      root: the directory, which is there.
      option: what names it, for the message.

    Raises:
      InputError: another process holds it.
    """
    with open(os.path.join(root, _LOCK_FILE), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.InputError(
                f"another run or decision is working in {root}; wait for it or choose "
                f"another `{option}`"
            ) from None
        yield
