"""Several workers that train together: who they are, and what they share.

TF_CONFIG names them, or `local_workers.py` starts them. Each worker takes its part of
every batch. Gradients are summed over the workers, so a loss must already be divided
by the labels of the whole batch, not of the part: the result is then the one that a
single worker gets.
"""

from __future__ import annotations

import tensorflow as tf

from schema import errors


def cluster_size() -> int:
    """Returns the number of workers that TF_CONFIG names; 0: it is not set."""
    cluster = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec()
    jobs = cluster.as_dict()
    return sum(len(jobs.get(job, ())) for job in ("chief", "worker"))


def strategy(num_workers: int) -> tf.distribute.Strategy:
    """Returns the strategy of this process; it must come before any other operation.

    Args:
      num_workers: `train.num_workers`; above 1 TF_CONFIG names them.

    Raises:
      InputError: TF_CONFIG names another number.
    """
    if num_workers == 1:
        return tf.distribute.get_strategy()
    if cluster_size() != num_workers:
        raise errors.InputError(
            f"`train.num_workers` = {num_workers}, but TF_CONFIG names "
            f"{cluster_size()} workers; make them equal"
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def worker_index(strategy: tf.distribute.Strategy) -> int:
    """Returns which worker this process is, from 0 (the chief)."""
    if strategy.num_replicas_in_sync == 1:
        return 0
    resolver = strategy.cluster_resolver
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    is_worker = resolver.task_type == "worker"
    return int(resolver.task_id) + int(has_chief and is_worker)


def num_replicas() -> int:
    """Returns the number of workers of the current strategy."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def _total(part: tf.Tensor) -> tf.Tensor:
    """Returns the sum of a step's tensor over all workers."""
    context = tf.distribute.get_replica_context()
    if context is None or num_replicas() == 1:
        return part
    return context.all_reduce(tf.distribute.ReduceOp.SUM, part)


def num_labels(labels: tf.Tensor) -> tf.Tensor:
    """Returns how many labels a step has over all workers, at least 1, [] float32.

    Args:
      labels: bool, any shape.
    """
    return tf.maximum(_total(tf.reduce_sum(tf.cast(labels, tf.float32))), 1.0)


def replica_id() -> tf.Tensor | int:
    """Returns which worker takes this step, from 0."""
    context = tf.distribute.get_replica_context()
    if context is None or num_replicas() == 1:
        return 0
    return tf.cast(context.replica_id_in_sync_group, tf.int32)


def agree(value: float) -> float:
    """Returns the mean over all workers, the same on each; waits for all of them.

    Called by every worker between steps, inside the strategy's scope.
    """
    if num_replicas() == 1:
        return value
    strategy = tf.distribute.get_strategy()
    part = tf.constant(value, tf.float64)

    @tf.function(autograph=False)
    def summed() -> tf.Tensor:
        return strategy.experimental_local_results(strategy.run(lambda: _total(part)))[
            0
        ]

    return float(summed()) / num_replicas()
