"""The towers as they start: built, compiled, with all their weights."""

from __future__ import annotations

import tensorflow as tf
from absl import logging

from components.trainer import (
    candidates,
    feedback_signal,
    lazy_adam,
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
    signal = feedback_signal.FeedbackSignal(
        config.feedback,
        config.model.negative_signal,
        config.control_action,
        config.control_value,
    )
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
    adam = lazy_adam.LazyAdam if is_sampled else tf.keras.optimizers.Adam
    two_tower.compile(optimizer=adam(learning_rate(config.train, num_batches)))
    # Weights exist only after a first batch; a checkpoint needs them to restore into.
    two_tower.compute_loss(some_batch)
    # The avoidance path is in the served query alone.
    two_tower.served_queries(some_batch, tf.zeros((1, config.model.embedding_dim)))
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
