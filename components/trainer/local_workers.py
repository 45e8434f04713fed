"""Trains with several workers as processes of this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from components import progress
from schema import errors

INPUT_ERROR_CODE = 2
"""Exit code of a worker that found a fault in data or configuration."""
PROGRESS_MARK = "progress "
"""Begins the lines in which the first worker tells of its progress."""
_WORKER = "components.trainer.worker_process"
_TOLD_CHARACTERS = 2_000
_POLL_SEC = 0.2


def train_locally(arguments: Mapping[str, Any], num_workers: int) -> None:
    """Runs `run_fn` in `num_workers` processes of this machine; the first exports.

    Args:
      arguments: those attributes of TFX's FnArgs that `run_fn` reads.
      num_workers: at least 2.

    Raises:
      InputError: a worker found a fault in data or configuration.
      RuntimeError: a worker failed otherwise; the others are stopped.
    """
    addresses = [f"localhost:{port}" for port in _free_ports(num_workers)]
    with tempfile.TemporaryDirectory() as folder:
        logs = [os.path.join(folder, f"{n}.log") for n in range(num_workers)]
        processes: list[subprocess.Popen[str]] = []
        try:
            for number, log in enumerate(logs):
                with open(log, "w", encoding="utf-8") as errors_file:
                    processes.append(
                        subprocess.Popen(
                            [sys.executable, "-m", _WORKER, json.dumps(arguments)],
                            env=_environment(addresses, number),
                            stdout=subprocess.DEVNULL if number else subprocess.PIPE,
                            stderr=errors_file,
                            text=True,
                        )
                    )
            threading.Thread(target=_relay, args=processes[:1], daemon=True).start()
            _wait(processes, logs)
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                process.wait()


def _free_ports(number: int) -> list[int]:
    # All are held at once, so that they differ.
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("localhost", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _environment(addresses: Sequence[str], number: int) -> dict[str, str]:
    task = {
        "cluster": {"worker": list(addresses)},
        "task": {"type": "worker", "index": number},
    }
    return {
        **os.environ,
        "TF_CONFIG": json.dumps(task),
        "TF_USE_LEGACY_KERAS": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def _relay(chief: subprocess.Popen[str]) -> None:
    """Hands the chief's progress on until it ends."""
    for line in chief.stdout or ():
        if line.startswith(PROGRESS_MARK):
            progress.report(*json.loads(line[len(PROGRESS_MARK) :]))


def _wait(processes: Sequence[subprocess.Popen[str]], logs: Sequence[str]) -> None:
    """Returns when all have ended; the first that fails ends the waiting."""
    while True:
        codes = [process.poll() for process in processes]
        failed = [number for number, code in enumerate(codes) if code]
        if failed:
            raise _failure(failed[0], codes[failed[0]], logs[failed[0]])
        if all(code == 0 for code in codes):
            return
        time.sleep(_POLL_SEC)


def _failure(number: int, code: int | None, log: str) -> Exception:
    with open(log, encoding="utf-8") as file:
        told = file.read().strip()[-_TOLD_CHARACTERS:]
    if code == INPUT_ERROR_CODE:
        return errors.InputError(told.splitlines()[-1])
    return RuntimeError(
        f"worker {number} ended with code {code}; the end of its log:\n{told}"
    )
