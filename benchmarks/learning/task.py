"""What a contender's process is asked to do, and what it answers."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import resource
import time
from typing import Any

import numpy as np

from benchmarks.learning.log import EVAL, TEST

META_FILE = "prepared.json"
"""What was noted when the log was prepared, beside it."""
TASK_FILE, RESULT_FILE, LISTS_FILE = "task.json", "result.json", "lists.npz"


@dataclasses.dataclass(frozen=True)
class Task:
    """One training of one contender."""

    contender: str
    data: str
    """Prepared folder."""
    output: str
    """Folder of the result."""
    measure: str
    """`speed` (train, time the epochs) or `accuracy` (early stopping, write lists)."""
    embedding_dim: int = 64
    hidden_dim: int = 128
    num_layers: int = 1
    num_heads: int = 2
    max_length: int = 100
    """Elements of a window, and of the history that a recommendation reads."""
    prefix_length: int = 100
    """The same for those that train one position an example."""
    batch_windows: int = 32
    """Windows a step of those that train all positions."""
    batch_examples: int = 2048
    """Examples a step of those that train one position an example."""
    learning_rate: float = 1e-3
    dropout: float = 0.2
    epochs: int = 3
    """Most epochs. In `speed` the first is a warm-up that is not counted."""
    patience: int = 3
    """Epochs without a better eval NDCG@10 before the training stops."""
    budget_cpu_sec: float = 0.0
    """Stop after the epoch in which the process has used so much; 0: never."""
    max_steps: int = 0
    """Steps of a timed epoch of those that train one position an example; 0: all."""
    threads: int = 1
    seed: int = 1
    overrides: tuple[str, ...] = ()
    """Further `section.key=value` of Heed's configuration."""

    def write(self) -> pathlib.Path:
        """Writes the task into its output folder and returns the file."""
        folder = pathlib.Path(self.output)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / TASK_FILE
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        return path


def read(path: str) -> Task:
    """Returns the task of a file."""
    values = json.loads(pathlib.Path(path).read_text())
    return Task(**{**values, "overrides": tuple(values["overrides"])})


class Stopwatch:
    """Wall clock and CPU time (all threads of the process) of each epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self.start()

    def start(self) -> None:
        """Starts an epoch."""
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def stop(self, labels: float) -> None:
        """Ends an epoch that learnt from so many positions."""
        wall_sec = time.monotonic() - self._wall
        cpu_sec = time.process_time() - self._cpu
        self.epochs.append({"labels": labels, "wall_sec": wall_sec, "cpu_sec": cpu_sec})


def should_stop(metrics: list[float], patience: int) -> bool:
    """Returns whether the last `patience` epochs brought nothing better.

    Example:
      >>> should_stop([.1, .3, .2, .3], 2), should_stop([.1, .3, .2], 2)
      (True, False)
    """
    best = int(np.argmax(metrics)) if metrics else 0
    return len(metrics) - 1 - best >= patience > 0


def is_over_budget(job: Task) -> bool:
    """Returns whether this process has used up what the task grants it.

    CPU time: what else the machine does must not decide how far a training gets.
    """
    return 0.0 < job.budget_cpu_sec < time.process_time()


def answer(
    task: Task,
    stopwatch: Stopwatch,
    lists: dict[int, np.ndarray] | None = None,
    **extra: Any,
) -> None:
    """Writes the result, and the lists of an `accuracy` task."""
    folder = pathlib.Path(task.output)
    if lists is not None:
        np.savez_compressed(folder / LISTS_FILE, eval=lists[EVAL], test=lists[TEST])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    content = {
        "epochs": stopwatch.epochs,
        "process_cpu_sec": time.process_time(),
        "peak_memory_bytes": peak,
        **extra,
    }
    aside = folder / f"part-{RESULT_FILE}"
    aside.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(aside, folder / RESULT_FILE)


def read_lists(task: Task) -> dict[int, np.ndarray]:
    """Returns the lists that a contender wrote, by split."""
    with np.load(pathlib.Path(task.output) / LISTS_FILE) as arrays:
        return {EVAL: arrays["eval"], TEST: arrays["test"]}
