"""A training step as TFRS takes it, and what is told of it."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_recommenders as tfrs

from components.trainer import input_fn, replicas
from schema import features


class ReportingModel(tfrs.models.Model):
    """A TFRS model that tells the epoch's mean loss and its positions so far.

    TFRS tells the loss of the last batch, of this worker's part alone. A subclass
    defines `compute_loss`; its trainable variables are what a step updates.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mean_loss = tf.keras.metrics.Mean("loss")
        self._positions = tf.keras.metrics.Sum("positions")

    @property
    def metrics(self) -> list[tf.keras.metrics.Metric]:
        """The metrics that Keras resets at the start of each epoch."""
        return [self._mean_loss, self._positions]

    # Nothing in the step needs AutoGraph, and with TFX's thousands of modules loaded
    # its conversion would take longer than an epoch on a small log.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Updates the weights by one batch; returns mean loss and positions so far."""
        loss = super().train_step(inputs)["loss"]
        # Each worker's loss is its labels' share of the mean over all of them.
        self._mean_loss.update_state(loss * replicas.num_replicas())
        is_label = inputs[features.IS_LABEL] == 1
        is_position = inputs[input_fn.IS_ELEMENT] & is_label
        self._positions.update_state(tf.cast(is_position, tf.float32))
        return {metric.name: metric.result() for metric in self.metrics}
