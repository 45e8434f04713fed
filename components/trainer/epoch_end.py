"""What happens when an epoch ends: its record, its checkpoint, and whether to go on."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import tensorflow as tf
from absl import logging

from components.trainer import training_state

MONITORED = "val_ndcg@10"
"""What early stopping and the best checkpoint go by."""


class EpochEnd(tf.keras.callbacks.Callback):
    """Keeps each epoch, and stops when it is time to."""

    def __init__(self, state: training_state.TrainingState, patience: int, path: str):
        super().__init__()
        self._state = state
        self._patience = patience
        self._path = path
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the time."""
        self._epoch = epoch
        self._started = time.monotonic()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, float] | None = None
    ) -> None:
        """Stops the training as soon as the loss is not finite.

        Raises:
          FloatingPointError: it is not; the last epoch's checkpoint stays.
        """
        self._step = batch + 1
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            self._diverged(f"the loss is {loss}")

    def _diverged(self, what: str) -> None:
        kept = len(self._state.history)
        raise FloatingPointError(
            f"{what} at step {self._step} of epoch {self._epoch + 1}; the checkpoint "
            f"of epoch {kept} is kept; lower `train.learning_rate` or "
            "`train.negative_weight`"
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes the history aside and moves it into place.

        Raises:
          FloatingPointError: the epoch's last step has left a weight that is not
            finite; such a model would rank every label first.
        """
        for weight in self.model.trainable_variables:
            if not bool(tf.reduce_all(tf.math.is_finite(weight))):
                self._diverged(f"{weight.name} is not finite")
        record = {name: float(value) for name, value in (logs or {}).items()}
        record["epoch"] = epoch + 1
        record["seconds"] = round(time.monotonic() - self._started, 3)
        self._state.save(record)
        with open(self._path + ".part", "w", encoding="utf-8") as file:
            json.dump(self._state.history, file, indent=1)
        os.replace(self._path + ".part", self._path)
        logging.info("epoch %s", record)
        if training_state.should_stop(self._state.history, MONITORED, self._patience):
            self.model.stop_training = True
