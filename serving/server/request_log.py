"""Writes what was asked and answered, for tomorrow's skew check and for learning.

JSON Lines: one line a user, in the form of a REST instance (`history_item_id`, ...),
which `checks.request_log` reads, with the slate that was shown and when. A thread
writes; a server that answers faster than the disk takes drops lines, and counts them.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import logging
import math
import os
import queue
import random
import threading
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from schema import errors, settings
from serving.bundle import signature
from serving.server import metrics

log = logging.getLogger(__name__)

_MAX_WAITING_ELEMENTS = 4_000_000
"""Of requests that wait for the disk: some hundred megabytes."""
_OPEN_SUFFIX = ".open"
"""Of the file that is being written; it is renamed when it is whole."""


class Answered(NamedTuple):
    """One request with its answer."""

    time_ms: int
    """When it was answered, UTC."""
    version: int
    inputs: signature.Tensors
    outputs: signature.Tensors
    user_id: str | None
    """For whom it was asked, where the caller said so."""

    @property
    def size(self) -> int:
        """Elements of all arrays."""
        arrays = [*self.inputs.values(), *self.outputs.values()]
        return sum(array.size for array in arrays)


class RequestLog:
    """A directory of files, each at most so large; the oldest are deleted."""

    def __init__(
        self, chosen: settings.ServingSettings, counters: metrics.Metrics
    ) -> None:
        """Starts the thread.

        Args:
          chosen: Its `request_log_*`; the directory is not empty.
          counters: Told what was written and dropped.

        Raises:
          InputError: The directory or the salt cannot be used.
        """
        self._settings = chosen
        self._counters = counters
        self._directory = Path(chosen.request_log_dir)
        self._salt: bytes | None = None
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            if chosen.request_log_salt_file:
                self._salt = Path(chosen.request_log_salt_file).read_bytes().strip()
        except OSError as error:
            raise errors.InputError(
                "the request log cannot be kept (`serving.request_log_dir`, "
                f"`serving.request_log_salt_file`): {error}"
            ) from error
        if self._salt == b"":
            raise errors.InputError(
                f"`serving.request_log_salt_file` = {chosen.request_log_salt_file!r} "
                "is empty; it must hold a secret"
            )
        self._random = random.Random()
        self._waiting: queue.SimpleQueue[Answered | None] = queue.SimpleQueue()
        self._waiting_elements = 0
        self._lock = threading.Lock()
        self._is_failing = False
        self._file: IO[bytes] | None = None
        self._thread = threading.Thread(
            target=self._write_all, name="request-log", daemon=True
        )
        self._thread.start()

    def add(self, answered: Answered) -> None:
        """Takes a request in, or drops it; never blocks."""
        with self._lock:
            fits = self._waiting_elements + answered.size <= _MAX_WAITING_ELEMENTS
            if fits:
                self._waiting_elements += answered.size
        if fits:
            self._waiting.put(answered)
        else:
            self._counters.count_logged("dropped", 1)

    def close(self) -> None:
        """Writes what waits, and finishes the file; blocks."""
        self._waiting.put(None)
        self._thread.join()

    def _write_all(self) -> None:
        while (answered := self._waiting.get()) is not None:
            try:
                self._write(answered)
                self._is_failing = False
            except Exception:
                # A full disk must not end the log for good, nor the server.
                self._counters.count_logged("failed", 1)
                if not self._is_failing:
                    log.exception("the request log in %s failed", self._directory)
                self._is_failing = True
            with self._lock:
                self._waiting_elements -= answered.size
        self._finish_file()

    def _write(self, answered: Answered) -> None:
        share = self._settings.request_log_share
        num_rows = len(next(iter(answered.inputs.values())))
        rows = [row for row in range(num_rows) if self._random.random() < share]
        if not rows:
            return
        content = b"".join(self._line(answered, row) for row in rows)
        file = self._file or self._next_file()
        # Whole lines, so that a reader of the open file sees no half of one.
        file.write(content)
        file.flush()
        self._counters.count_logged("written", len(rows))
        if file.tell() >= self._settings.request_log_max_bytes:
            self._finish_file()

    def _line(self, answered: Answered, row: int) -> bytes:
        line: dict[str, Any] = {
            "time_ms": answered.time_ms,
            "version": answered.version,
            **_row(answered.inputs, row),
            **{f"slate_{n}": part for n, part in _row(answered.outputs, row).items()},
        }
        if answered.user_id is not None:
            line["user_id"] = self._named(answered.user_id)
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"

    def _named(self, user_id: str) -> str:
        if self._salt is None:
            return user_id
        return hmac.new(self._salt, user_id.encode(), hashlib.sha256).hexdigest()[:32]

    def _next_file(self) -> IO[bytes]:
        now = datetime.datetime.now(datetime.timezone.utc)
        # Named by time, so that the last name is the newest file.
        name = f"requests-{now:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.jsonl{_OPEN_SUFFIX}"
        # Who watched what is nobody else's business.
        path = self._directory / name
        path.touch(mode=0o600)
        self._file = path.open("ab")
        return self._file

    def _finish_file(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        file.close()
        Path(file.name).rename(file.name.removesuffix(_OPEN_SUFFIX))
        whole = sorted(self._directory.glob("requests-*.jsonl"))
        for old in whole[: -self._settings.request_log_max_files]:
            old.unlink(missing_ok=True)


def _row(tensors: signature.Tensors, row: int) -> dict[str, Any]:
    """Returns one user's part, without padding, as JSON: null for what is absent."""
    texts = {name: array[row] for name, array in tensors.items() if array.ndim == 2}
    there = {
        name: values != b"" for name, values in texts.items() if values.dtype == object
    }
    # What belongs to an element or an item goes or stays with it.
    if signature.HISTORY_ITEM_ID in there:
        there |= dict.fromkeys(
            signature.HISTORY_INPUTS, there[signature.HISTORY_ITEM_ID]
        )
    if signature.ITEM_ID in there:
        there[signature.SCORE] = there[signature.ITEM_ID]
    return {
        name: _plain(array[row][there[name]] if name in there else array[row])
        for name, array in tensors.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
