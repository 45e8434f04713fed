"""Writes what people said as canonical events, for the next run to learn from.

JSON Lines with `user_id`, `item_id`, `timestamp` (ms UTC) and `action`: a span that
`data.events` reads as it is.
"""

from __future__ import annotations

import datetime
import json
import os
import threading
from pathlib import Path
from typing import IO

from schema import errors, features


class EventLog:
    """A file of its own for each start of the server; a line is there at once."""

    def __init__(self, directory: str) -> None:
        """Makes the directory; raises InputError where it cannot."""
        self._directory = Path(directory)
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise errors.InputError(
                f"`serving.event_log_dir` = {directory!r} cannot be used: {error}"
            ) from error

    def add(self, user_id: str, item_id: str, action: str, time_ms: int) -> None:
        """Writes one event; blocks until the system has taken it."""
        event = {
            features.USER_ID: user_id,
            features.ITEM_ID: item_id,
            features.TIMESTAMP: time_ms,
            features.ACTION: action,
        }
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            file = self._file or self._open()
            # One write a line, so that a reader sees no half of one.
            file.write(line)
            file.flush()

    def _open(self) -> IO[bytes]:
        now = datetime.datetime.now(datetime.timezone.utc)
        path = self._directory / f"events-{now:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.jsonl"
        # Who said what is nobody else's business.
        path.touch(mode=0o600)
        self._file = path.open("ab")
        return self._file

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
