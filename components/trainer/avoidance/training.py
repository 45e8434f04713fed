"""Trains the avoidance path, once the towers are done.

The path shall take away what resembles a dislike and nothing else. Taught beside
towers that still move, it takes away more than that: on the MovieLens sample 1.4 % of
the liked targets that the towers retrieve, where two passes over the finished towers
take .6 % for the same answer (docs/adr/0045).
"""

from __future__ import annotations

import time
from typing import TypeVar

import tensorflow as tf

from components.trainer import candidates, model, replicas, training_step
from components.trainer.avoidance import path as avoidance_path
from components.trainer.callbacks import epoch_end, step_progress
from components.trainer.losses import corpus as corpus_lib
from components.trainer.losses import similar_set, window_labels
from schema import settings

_PASSES = 2
_MOST_STEPS = 2_000
"""Bounds the time on a long log; two passes over the MovieLens sample are 188."""
_LEARNING_RATE = 3e-3
_FINAL_RATE_SHARE = 0.02


class AvoidanceTraining(training_step.ReportingModel):
    """A model's avoidance path as what is trained; the towers stay as they are."""

    def __init__(
        self,
        two_tower: model.TwoTowerModel,
        path: avoidance_path.Avoidance,
        table: candidates.CandidateTable,
        train: settings.TrainSettings,
    ):
        """Takes the model, its path, its candidates, and what resembles a dislike."""
        super().__init__()
        self._two_tower = two_tower
        self._avoidance = path
        key = candidates.similar_set_key(table, train.similar_sets)
        self._similar_key = tf.constant(key[: table.num_trained])
        self._num_neighbours = train.similar_neighbours
        self._similar_weight = train.similar_set_weight

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """What a step updates: the path's weights alone."""
        return list(self._avoidance.trainable_variables)

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the scalar loss: the similar-set term, and the labels that follow.

        It is the sum over disliked items and labels, divided by the number of labels.
        Towers and candidates do not learn from it: the latter would move out of each
        other's way.
        """
        windows = self._two_tower.encode(inputs, training)
        labels, weights = windows.labels, windows.weights
        path, is_element = self._avoidance, windows.is_element
        corpus = _with_codes(path, windows.candidates)
        coded = _with_codes(path, labels)
        query = path.move(
            tf.stop_gradient(windows.state),
            labels.embedding,
            labels.candidate_id,
            weights.negative,
            is_element,
        )
        follows = path.follows_dislike(weights.negative, is_element)
        liked_after = windows.is_recommendable & (weights.positive > 0) & follows
        task = self._two_tower.task
        total = coded.loss(
            task,
            query[:, :-1],
            liked_after,
            weights.positive,
            tf.zeros_like(liked_after),
            corpus,
        )
        disliked = windows.is_known_label & (weights.negative > 0)
        total += self._similar_weight * similar_set.loss(
            tf.boolean_mask(query[:, 1:], disliked) / task.temperature,
            tf.boolean_mask(coded.embedding, disliked),
            corpus,
            tf.boolean_mask(coded.candidate_id, disliked),
            tf.boolean_mask(weights.negative, disliked),
            self._similar_key,
            self._num_neighbours,
            labels.embedding.shape[-1],
        )
        has_weight = weights.positive + weights.negative > 0
        return total / replicas.num_labels(windows.is_recommendable & has_weight)


_Coded = TypeVar("_Coded", corpus_lib.Corpus, window_labels.WindowLabels)


def _with_codes(path: avoidance_path.Avoidance, items: _Coded) -> _Coded:
    """Returns items with their codes; their embeddings learn nothing from it."""
    still = tf.stop_gradient(items.embedding)
    return items._replace(embedding=path.with_codes(still, items.candidate_id))


def number_of_steps(two_tower: model.TwoTowerModel, num_batches: int) -> int:
    """Returns the steps of `train`; 0 where the model has no path.

    Args:
      two_tower: the model.
      num_batches: of one pass over the log.
    """
    if two_tower.avoidance is None:
        return 0
    return min(_PASSES * num_batches, _MOST_STEPS)


def train(
    two_tower: model.TwoTowerModel,
    path: avoidance_path.Avoidance,
    table: candidates.CandidateTable,
    train_settings: settings.TrainSettings,
    batches: tf.data.Dataset,
    num_steps: int,
    num_earlier_steps: int,
    strategy: tf.distribute.Strategy,
) -> float:
    """Trains the avoidance path of a model whose towers are done.

    It leaves no checkpoint: a training that is killed here takes the towers from
    theirs, and the path from its start, to the same weights.

    Args:
      two_tower: the model.
      path: what is trained of it.
      table: its candidates.
      train_settings: the Trainer's.
      batches: endless.
      num_steps: see `number_of_steps`.
      num_earlier_steps: of the towers' training, for the progress.
      strategy: of the workers that train together.

    Returns:
      Seconds that it took.

    Raises:
      FloatingPointError: the loss is not finite.
    """
    started = time.monotonic()
    with strategy.scope():
        training = AvoidanceTraining(two_tower, path, table, train_settings)
        rate = tf.keras.optimizers.schedules.CosineDecay(
            _LEARNING_RATE, num_steps, alpha=_FINAL_RATE_SHARE
        )
        training.compile(optimizer=tf.keras.optimizers.Adam(rate))
        # A step that creates variables is traced twice.
        training.optimizer.build(path.trainable_variables)
    training.fit(
        batches,
        epochs=1,
        steps_per_epoch=num_steps,
        callbacks=[
            epoch_end.Finite(
                "step {step} of the avoidance path",
                lambda: "the towers' last checkpoint is kept",
                "lower `train.similar_set_weight`",
            ),
            step_progress.StepProgress(
                1,
                num_steps,
                epoch_end.MONITORED,
                phase="avoidance path",
                num_earlier_steps=num_earlier_steps,
            ),
        ],
        verbose=0,
    )
    return time.monotonic() - started
