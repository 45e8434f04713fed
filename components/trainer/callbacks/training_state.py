"""What a killed training needs to go on as if nothing had happened.

After each epoch weights, optimiser, random generators and the history so far are
written below the run's root, keyed by everything that determines the training. The
model directory cannot hold them: it is new for every execution.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from components.trainer import model as model_lib
from components.trainer import replicas

Record = dict[str, float]
"""Metrics of one epoch; `epoch` counts from 1."""

_HISTORY_FILE = "history.json"


def key(*parts: str) -> str:
    """Returns the directory name for a training that these texts determine."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def best_epoch(history: Sequence[Record], metric: str) -> int:
    """Returns the epoch with the largest metric, the earliest of equals; 0: none.

    Example:
      >>> best_epoch([{"epoch": 1, "m": .1}, {"epoch": 2, "m": .3}], "m")
      2
    """
    measured = [record for record in history if record.get(metric) is not None]
    if not measured:
        return 0
    return int(max(measured, key=lambda r: (r[metric], -r["epoch"]))["epoch"])


def should_stop(history: Sequence[Record], metric: str, patience: int) -> bool:
    """Returns whether the last `patience` epochs brought nothing better.

    Args:
      history: all epochs so far.
      metric: larger is better.
      patience: epochs to wait; 0 never stops.
    """
    best = best_epoch(history, metric)
    return bool(patience and best and len(history) - best >= patience)


class TrainingState:
    """Checkpoints of one training: the newest to go on from, the best to end with."""

    def __init__(
        self,
        directory: str,
        model: model_lib.TwoTowerModel,
        metric: str,
        worker: int = 0,
    ):
        """Prepares the directory.

        Args:
          directory: of this training alone; see `key`.
          model: compiled model; its variables and its optimiser's are kept.
          metric: decides which epoch is best.
          worker: its number. All must save together, since some variables are sums
            over the workers; worker 0 keeps the files, from which all resume.
        """
        self._worker = worker
        self._directory = directory
        self._metric = metric
        self._newest = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        # The model holds its optimiser: two thirds of the bytes, and of no use here.
        self._best = tf.train.Checkpoint(weights=model.trainable_variables)
        self.history: list[Record] = []

    def resume(self) -> int:
        """Restores the newest complete epoch and returns its number; 0: none."""
        path = os.path.join(self._directory, _HISTORY_FILE)
        if not tf.io.gfile.exists(path):
            return 0
        with tf.io.gfile.GFile(path) as file:
            history = json.loads(file.read())
        # Slots of the optimiser are created before they can be restored.
        self._newest.optimizer.build(self._newest.model.trainable_variables)
        self._newest.restore(self._path("newest", len(history)))
        self.history = history
        logging.info("training goes on after epoch %d", len(history))
        return len(history)

    def save(self, record: Record) -> None:
        """Keeps the epoch; the history, written last, says that it is complete."""
        self.history.append(record)
        epoch = len(self.history)
        if self._worker:
            self._write_and_forget(epoch)
        else:
            self._write(epoch)
        # Nobody reads before worker 0 has written.
        replicas.agree(0.0)

    def _write(self, epoch: int) -> None:
        tf.io.gfile.makedirs(self._directory)
        self._newest.write(self._path("newest", epoch))
        if self._is_best(epoch):
            self._best.write(self._path("best", epoch))
        path = os.path.join(self._directory, _HISTORY_FILE)
        with tf.io.gfile.GFile(path + ".part", "w") as file:
            file.write(json.dumps(self.history))
        tf.io.gfile.rename(path + ".part", path, overwrite=True)
        self._remove("newest", keep=epoch)
        self._remove("best", keep=best_epoch(self.history, self._metric) or epoch)

    def _write_and_forget(self, epoch: int) -> None:
        aside = os.path.join(self._directory, f"worker-{self._worker}")
        self._newest.write(os.path.join(aside, "newest"))
        if self._is_best(epoch):
            self._best.write(os.path.join(aside, "best"))
        tf.io.gfile.rmtree(aside)

    def _is_best(self, epoch: int) -> bool:
        return best_epoch(self.history, self._metric) in (0, epoch)

    def restore_best(self) -> None:
        """Gives the model the weights of its best epoch."""
        best = best_epoch(self.history, self._metric) or len(self.history)
        self._best.restore(self._path("best", best)).expect_partial()

    def discard(self) -> None:
        """Removes the directory of a training that has ended."""
        if tf.io.gfile.exists(self._directory):
            tf.io.gfile.rmtree(self._directory)

    def _path(self, kind: str, epoch: int) -> str:
        return os.path.join(self._directory, f"{kind}-{epoch}")

    def _remove(self, kind: str, keep: int) -> None:
        for path in tf.io.gfile.glob(os.path.join(self._directory, f"{kind}-*")):
            epoch = os.path.basename(path).split("-")[1].split(".")[0]
            if int(epoch) != keep:
                tf.io.gfile.remove(path)
