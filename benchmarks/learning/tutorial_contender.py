"""Trains as the TFRS sequential tutorial does: `... tutorial_contender TASK`.

One example a prefix of fixed length, a GRU as query tower, an embedding as candidate
tower, `tfrs.tasks.Retrieval` with the negatives of the batch, and `fit`.

Source: tensorflow.org/recommenders/examples/sequential_retrieval.
"""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from benchmarks.learning import log as neutral
from benchmarks.learning import metrics, task


class TutorialModel(tfrs.models.Model):
    """The tutorial's two towers, with the task's dimensions."""

    def __init__(self, num_items: int, job: task.Task):
        super().__init__()
        layers = tf.keras.layers
        self.query_tower = tf.keras.Sequential(
            [
                layers.Embedding(num_items + 1, job.embedding_dim),
                layers.Dropout(job.dropout),
                layers.GRU(job.hidden_dim),
                layers.Dense(job.embedding_dim),
            ]
        )
        self.candidate_tower = layers.Embedding(num_items + 1, job.embedding_dim)
        self.retrieval = tfrs.tasks.Retrieval()

    def compute_loss(
        self, features: tuple[tf.Tensor, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the summed loss of a batch of (prefix, next item)."""
        prefix, item = features
        query = self.query_tower(prefix, training=training)
        return self.retrieval(query, self.candidate_tower(item), compute_metrics=False)


class Epochs(tf.keras.callbacks.Callback):
    """Times the epochs, and stops early on the eval split."""

    def __init__(
        self, log: neutral.Log, job: task.Task, labels: int, stopwatch: task.Stopwatch
    ):
        super().__init__()
        self._log, self._job, self._labels = log, job, labels
        self._stopwatch = stopwatch
        self.monitored: list[float] = []
        self.best: list[np.ndarray] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self._stopwatch.start()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stops the clock; ranks the eval split."""
        self._stopwatch.stop(self._labels)
        if self._job.measure == "speed":
            return
        found = lists(self.model, self._log, neutral.EVAL, self._job.prefix_length)
        self.monitored.append(metrics.monitored(self._log, found))
        if self.monitored[-1] == max(self.monitored):
            self.best = self.model.get_weights()
        self.model.stop_training = task.should_stop(
            self.monitored, self._job.patience
        ) or task.is_over_budget(self._job)


def prefixes(log: neutral.Log, target: np.ndarray, length: int) -> np.ndarray:
    """Returns the items before each target, [targets, length], padded in front."""
    item, num_elements = log.histories(target, length)
    # A rotation: the pads at the end come to the front.
    column = np.arange(length)[None] - (length - num_elements)[:, None]
    return np.take_along_axis(item, column % length, axis=1).astype(np.int32)


def lists(
    model: TutorialModel, log: neutral.Log, split: int, length: int
) -> np.ndarray:
    """Returns the [targets, 100] best unseen candidates of a split's targets."""
    target = log.targets(split)
    candidate = model.candidate_tower(tf.range(log.num_items)).numpy()
    found = []
    for chosen in np.array_split(target, max(1, len(target) // 256)):
        query = model.query_tower(prefixes(log, chosen, length)).numpy()
        found.append(neutral.top_unseen(log, chosen, query @ candidate.T))
    return np.concatenate(found)


def run(job: task.Task) -> None:
    """Trains the tutorial's model as the task says and writes its result."""
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    tf.keras.utils.set_random_seed(job.seed)
    log = neutral.load(job.data)
    target = log.targets(neutral.TRAIN)
    # A prefix needs an element.
    target = target[target > log.user_begin[log.user_of(target)]]
    if job.max_steps:
        target = np.random.default_rng(job.seed).permutation(target)
        target = target[: job.max_steps * job.batch_examples]
    examples = (prefixes(log, target, job.prefix_length), log.item[target])
    dataset = (
        tf.data.Dataset.from_tensor_slices(examples)
        .shuffle(100_000)
        .batch(job.batch_examples)
        .prefetch(tf.data.AUTOTUNE)
    )
    model = TutorialModel(log.num_items, job)
    model.compile(optimizer=tf.keras.optimizers.Adam(job.learning_rate))
    stopwatch = task.Stopwatch()
    epochs = Epochs(log, job, len(target), stopwatch)
    model.fit(dataset, epochs=job.epochs, callbacks=[epochs], verbose=0)
    if epochs.best is None:
        task.answer(job, stopwatch)
        return
    model.set_weights(epochs.best)
    both = {
        s: lists(model, log, s, job.prefix_length) for s in (neutral.EVAL, neutral.TEST)
    }
    task.answer(job, stopwatch, both, monitored=epochs.monitored)


if __name__ == "__main__":
    run(task.read(sys.argv[1]))
