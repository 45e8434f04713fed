"""What happens when an epoch ends: its record, its checkpoint, and whether to go on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from components.trainer.callbacks import training_state

MONITORED = "val_ndcg@10"
"""What early stopping and the best checkpoint go by."""


def write_history(history: Sequence[training_state.Record], path: str) -> None:
    """Writes a record an epoch aside and moves it into place."""
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(history, file, indent=1)
    os.replace(path + ".part", path)


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

    def __init__(self, state: training_state.TrainingState, patience: int, path: str):
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
        if training_state.should_stop(self._state.history, MONITORED, self._patience):
            self.model.stop_training = True
