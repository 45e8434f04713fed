"""What workers that train together must share within a step and between epochs.

Each worker takes its part of every batch. Gradients are summed over the workers, so a
loss must already be divided by the labels of the whole batch, not of the part: the
result is then the one that a single worker gets.
"""

from __future__ import annotations

import tensorflow as tf


def number() -> int:
    """Returns the number of workers of the current strategy."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def total(part: tf.Tensor) -> tf.Tensor:
    """Returns the sum of a step's tensor over all workers."""
    context = tf.distribute.get_replica_context()
    if context is None or number() == 1:
        return part
    return context.all_reduce(tf.distribute.ReduceOp.SUM, part)


def number_of(labels: tf.Tensor) -> tf.Tensor:
    """Returns how many labels a step has over all workers, at least 1, [] float32.

    Args:
      labels: bool, any shape.
    """
    return tf.maximum(total(tf.reduce_sum(tf.cast(labels, tf.float32))), 1.0)


def own_number() -> tf.Tensor | int:
    """Returns which worker takes this step, from 0."""
    context = tf.distribute.get_replica_context()
    if context is None or number() == 1:
        return 0
    return tf.cast(context.replica_id_in_sync_group, tf.int32)


def agree(value: float) -> float:
    """Returns the mean over all workers, the same on each; waits for all of them.

    Called by every worker between steps, inside the strategy's scope.
    """
    if number() == 1:
        return value
    strategy = tf.distribute.get_strategy()
    part = tf.constant(value, tf.float64)

    @tf.function(autograph=False)
    def summed() -> tf.Tensor:
        return strategy.experimental_local_results(strategy.run(lambda: total(part)))[0]

    return float(summed()) / number()
