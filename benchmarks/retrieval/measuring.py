"""What all contenders share; imports numpy alone, as each has its own environment."""

from __future__ import annotations

import json
import pathlib
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np

K = 100
_LEAST_SEC = 0.5


def load(folder: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns candidates, queries and the exact rows of the queries."""
    base = pathlib.Path(folder)
    candidate, query = np.load(base / "candidate.npy"), np.load(base / "query.npy")
    truth = base / "truth.npy"
    return candidate, query, np.load(truth) if truth.exists() else np.zeros((0, K))


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Returns the mean share of the exact first 100 that were found."""
    shares = [np.isin(t, f).mean() for f, t in zip(found, truth, strict=True)]
    return float(np.mean(shares))


def resident_bytes() -> int:
    """Returns the memory that the process holds now."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


class Build:
    """Times the building of an index, and what it leaves in memory."""

    def __enter__(self) -> Build:
        """Starts."""
        self._wall, self._cpu = time.monotonic(), time.process_time()
        self._bytes = resident_bytes()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops."""
        self.report = {
            "build_sec": round(time.monotonic() - self._wall, 2),
            "build_cpu_sec": round(time.process_time() - self._cpu, 2),
            "index_bytes": max(0, resident_bytes() - self._bytes),
        }


def point(
    setting: dict[str, object],
    search: Callable[[], np.ndarray],
    truth: np.ndarray,
) -> dict[str, object]:
    """Returns recall and speed of one setting; the fastest of at least three calls.

    Args:
      setting: what was set, for the report.
      search: answers all queries, [num_queries, K].
      truth: the exact rows.
    """
    found = search()
    walls, cpus = [], []
    begin = time.monotonic()
    while len(walls) < 3 or time.monotonic() - begin < _LEAST_SEC:
        wall, cpu = time.monotonic(), time.process_time()
        search()
        walls.append(time.monotonic() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        **setting,
        "recall": round(recall(found, truth), 5),
        "queries_per_wall_sec": round(len(found) / min(walls), 1),
        "queries_per_cpu_sec": round(len(found) / min(cpus), 1),
    }


def write(content: Iterable[dict[str, object]] | dict[str, object]) -> None:
    """Prints the result as the last line of the process."""
    sys.stdout.write("\n" + json.dumps(content) + "\n")
