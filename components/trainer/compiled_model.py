"""The towers as they start: built, compiled, with all their weights."""

from __future__ import annotations

import tensorflow as tf
from absl import logging

from components.trainer import (
    candidates,
    feedback_signal,
    model,
    precision,
)
from components.trainer import config as trainer_config
from schema import settings

_WARM_UP_STEPS = 200
_FINAL_RATE_SHARE = 0.01


def build(
    table: candidates.CandidateTable,
    config: trainer_config.TrainerConfig,
    num_batches: int,
    some_batch: dict[str, tf.Tensor],
) -> model.TwoTowerModel:
    """Returns the compiled model with all its weights and the optimiser's."""
    signal = feedback_signal.FeedbackSignal.of(config)
    train = config.train
    if train.mixed_precision and not precision.multiplies_bfloat16():
        logging.warning(
            "`train.mixed_precision`: this processor has no bfloat16 products; "
            "training is in float32"
        )
        train = train.model_copy(update={"mixed_precision": False})
    two_tower = model.TwoTowerModel(
        table, signal, config.model, train, config.history.max_length
    )
    is_sampled = config.train.is_sampled(table.num_trained)
    adam = LazyAdam if is_sampled else tf.keras.optimizers.Adam
    two_tower.compile(optimizer=adam(learning_rate(config.train, num_batches)))
    # Weights exist only after a first batch; a checkpoint needs them to restore into.
    two_tower.compute_loss(some_batch)
    # A step that creates variables is traced twice.
    two_tower.optimizer.build(two_tower.trainable_variables)
    return two_tower


def learning_rate(
    train: settings.TrainSettings, num_batches: int
) -> float | tf.keras.optimizers.schedules.LearningRateSchedule:
    """Returns the rate or its schedule over all epochs of `num_batches` steps."""
    if train.learning_rate_schedule == "constant":
        return train.learning_rate
    num_steps = train.epochs * num_batches
    num_rising = min(_WARM_UP_STEPS, num_steps // 10)
    return tf.keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if num_rising else train.learning_rate,
        decay_steps=max(1, num_steps - num_rising),
        alpha=_FINAL_RATE_SHARE,
        warmup_target=train.learning_rate if num_rising else None,
        warmup_steps=num_rising,
    )


class LazyAdam(tf.keras.optimizers.Adam):
    """Adam; the moments of unused embedding rows stay as they are.

    Keras's Adam decays all rows' moments in every step, which costs time in proportion
    to the catalogue. Dense gradients are treated as Adam treats them.
    """

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable
    ) -> None:
        """Updates one variable; Keras has summed repeated indices already."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        step = tf.cast(self.iterations + 1, variable.dtype)
        index = self._index_dict[self._var_key(variable)]
        momentum, velocity = self._momentums[index], self._velocities[index]
        rows, values = gradient.indices, gradient.values
        beta_1 = tf.cast(self.beta_1, variable.dtype)
        beta_2 = tf.cast(self.beta_2, variable.dtype)
        m = beta_1 * tf.gather(momentum, rows) + (1.0 - beta_1) * values
        v = beta_2 * tf.gather(velocity, rows) + (1.0 - beta_2) * tf.square(values)
        momentum.scatter_update(tf.IndexedSlices(m, rows))
        velocity.scatter_update(tf.IndexedSlices(v, rows))
        unbias = tf.sqrt(1.0 - tf.pow(beta_2, step)) / (1.0 - tf.pow(beta_1, step))
        rate = tf.cast(self.learning_rate, variable.dtype) * unbias
        change = rate * m / (tf.sqrt(v) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(change, rows))
