"""What happens when an epoch ends: its record, its checkpoint, and whether to go on.

A training that is killed goes on as if nothing had happened: after each epoch weights,
optimiser, random generators and the history so far are written below the run's root,
keyed by everything that determines the training. The model directory cannot hold them:
it is new for every execution.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from components.trainer import model as model_lib
from components.trainer import replicas
from schema import files

MONITORED = "val_ndcg@10"
"""What early stopping and the best checkpoint go by; larger is better."""
Record = dict[str, float]
"""Metrics of one epoch; `epoch` counts from 1."""

_HISTORY_FILE = "history.json"


def key(*parts: str) -> str:
    """Returns the directory name for a training that these texts determine."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def best_epoch(history: Sequence[Record]) -> int:
    """Returns the epoch with the largest `MONITORED`, the first of equals; 0: none.

    Example:
      >>> best_epoch([{"epoch": 1, MONITORED: .1}, {"epoch": 2, MONITORED: .3}])
      2
    """
    measured = [record for record in history if MONITORED in record]
    best = max(measured, key=lambda r: (r[MONITORED], -r["epoch"]), default=None)
    return int(best["epoch"]) if best else 0


def should_stop(history: Sequence[Record], patience: int) -> bool:
    """Returns whether the last `patience` epochs brought nothing better.

    Args:
      history: all epochs so far.
      patience: epochs to wait; 0 never stops.
    """
    best = best_epoch(history)
    return bool(patience and best and len(history) - best >= patience)


class TrainingState:
    """Checkpoints of one training: the newest to go on from, the best to end with."""

    def __init__(self, directory: str, model: model_lib.TwoTowerModel, worker: int = 0):
        """Prepares the directory.

        Args:
          directory: of this training alone; see `key`.
          model: compiled model; its variables and its optimiser's are kept.
          worker: its number. All must save together, since some variables are sums
            over the workers; worker 0 keeps the files, from which all resume.
        """
        self._worker = worker
        self._directory = directory
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
        files.write_atomically(path, json.dumps(self.history))
        self._remove("newest", keep=epoch)
        self._remove("best", keep=best_epoch(self.history) or epoch)

    def _write_and_forget(self, epoch: int) -> None:
        aside = os.path.join(self._directory, f"worker-{self._worker}")
        self._newest.write(os.path.join(aside, "newest"))
        if self._is_best(epoch):
            self._best.write(os.path.join(aside, "best"))
        tf.io.gfile.rmtree(aside)

    def _is_best(self, epoch: int) -> bool:
        return best_epoch(self.history) in (0, epoch)

    def restore_best(self) -> None:
        """Gives the model the weights of its best epoch."""
        best = best_epoch(self.history) or len(self.history)
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


def write_history(history: Sequence[Record], path: str) -> None:
    """Writes a record an epoch, as JSON."""
    files.write_atomically(path, json.dumps(history, indent=1))


class Finite(tf.keras.callbacks.Callback):
    """Stops a training whose loss or weights are not finite.

    Before `EpochEnd` in the list of callbacks, which would keep such an epoch.
    """

    def __init__(self, place: str, kept: Callable[[], str], remedy: str):
        """Takes what the error says.

        Args:
          place: with `{step}` and `{epoch}`, both from 1.
          kept: tells which checkpoint there is.
          remedy: what to change.
        """
        super().__init__()
        self._place = place
        self._kept = kept
        self._remedy = remedy
        self._epoch = 0
        self._step = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the epoch."""
        self._epoch = epoch + 1

    def on_train_batch_end(
        self, batch: int, logs: dict[str, float] | None = None
    ) -> None:
        """Looks at the loss.

        Raises:
          FloatingPointError: it is not finite.
        """
        self._step = batch + 1
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            self._diverged(f"the loss is {loss}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Looks at the weights.

        Raises:
          FloatingPointError: the epoch's last step has left one that is not finite;
            such a model would rank every label first.
        """
        for weight in self.model.trainable_variables:
            if not bool(tf.reduce_all(tf.math.is_finite(weight))):
                self._diverged(f"{weight.name} is not finite")

    def _diverged(self, what: str) -> None:
        place = self._place.format(step=self._step, epoch=self._epoch)
        raise FloatingPointError(f"{what} at {place}; {self._kept()}; {self._remedy}")


class EpochEnd(tf.keras.callbacks.Callback):
    """Keeps each epoch, and stops when it is time to."""

    def __init__(self, state: TrainingState, patience: int, path: str):
        super().__init__()
        self._state = state
        self._patience = patience
        self._path = path

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the time."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keeps the epoch, then tells of it."""
        record = {name: float(value) for name, value in (logs or {}).items()}
        record["epoch"] = epoch + 1
        record["seconds"] = round(time.monotonic() - self._started, 3)
        self._state.save(record)
        write_history(self._state.history, self._path)
        logging.info("epoch %s", record)
        if should_stop(self._state.history, self._patience):
            self.model.stop_training = True
