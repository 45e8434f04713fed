"""Tells, step by step, how far a training is and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable

import tensorflow as tf

from components import progress

POSITIONS = "positions"
"""Key of the logs: label positions of this epoch so far."""
_LEAST_INTERVAL_SEC = 0.5


def text(
    epoch: int,
    epochs: int,
    loss: float,
    metric: tuple[str, float] | None,
    positions_per_sec: float | None,
    left_sec: float | None,
) -> str:
    """Returns what stands behind the count of steps.

    Args:
      epoch: from 1.
      epochs: of the whole training.
      loss: mean of this epoch so far.
      metric: name and value of the last validation; None: none yet.
      positions_per_sec: label positions; None: not known yet.
      left_sec: seconds until the last epoch ends; None: not known yet.

    Example:
      >>> text(2, 10, 5.25, ("val_ndcg@10", 0.12345), 41234.0, 125.0)
      'steps, epoch 2/10, loss 5.250, val_ndcg@10 0.1235, 41,234 positions/s, 2:05 left'
    """
    parts = [f"steps, epoch {epoch}/{epochs}", f"loss {loss:.3f}"]
    if metric is not None:
        parts.append(f"{metric[0]} {metric[1]:.4f}")
    if positions_per_sec is not None:
        parts.append(f"{positions_per_sec:,.0f} positions/s")
    if left_sec is not None:
        minutes, seconds = divmod(round(left_sec), 60)
        parts.append(f"{minutes}:{seconds:02d} left")
    return ", ".join(parts)


class StepProgress(tf.keras.callbacks.Callback):
    """Reports at most twice a second, and at the end of each epoch.

    The first step of a process, which traces the graph, is left out of rate and time
    left. Validation is in the time left and not in the rate.
    """

    def __init__(
        self,
        epochs: int,
        steps_per_epoch: int,
        metric: str,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Prepares a training of `epochs` times `steps_per_epoch` steps.

        Args:
          epochs: of the whole training, those before a resumption included.
          steps_per_epoch: batches.
          metric: key of the logs of an epoch's end that is shown.
          clock: seconds.
        """
        super().__init__()
        self._epochs = epochs
        self._steps = steps_per_epoch
        self._metric = metric
        self._clock = clock
        self._validated: tuple[str, float] | None = None
        self._epoch = 0
        self._reported = float("-inf")
        # (time, steps done) after the first step of the process.
        self._start: tuple[float, int] | None = None
        # (time, positions) after the first step of the epoch.
        self._epoch_start: tuple[float, float] | None = None
        self._rate: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Starts a new rate."""
        self._epoch = epoch
        self._epoch_start = None

    def on_train_batch_end(
        self, batch: int, logs: dict[str, float] | None = None
    ) -> None:
        """Reports if the last report is old enough."""
        logs = logs or {}
        now = self._clock()
        positions = float(logs.get(POSITIONS, 0.0))
        if self._epoch_start is None:
            self._epoch_start = now, positions
        started, before = self._epoch_start
        if now > started:
            self._rate = (positions - before) / (now - started)
        done = self._epoch * self._steps + batch + 1
        if self._start is None:
            self._start = now, done
        if now - self._reported >= _LEAST_INTERVAL_SEC:
            self._report(now, done, float(logs.get("loss", float("nan"))))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reports, with the metric of this epoch."""
        logs = logs or {}
        if self._metric in logs:
            self._validated = self._metric, float(logs[self._metric])
        done = (epoch + 1) * self._steps
        self._report(self._clock(), done, float(logs.get("loss", float("nan"))))

    def _report(self, now: float, done: int, loss: float) -> None:
        self._reported = now
        total = self._epochs * self._steps
        left = None
        if self._start is not None and done > self._start[1]:
            started, before = self._start
            left = (now - started) / (done - before) * (total - done)
        told = text(
            self._epoch + 1,
            self._epochs,
            loss,
            self._validated,
            self._rate,
            left,
        )
        progress.report(done, total, told)
