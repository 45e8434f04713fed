"""The two-tower model: towers, labels and losses in one training step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.trainer import (
    candidates,
    feedback_signal,
    input_fn,
    replicas,
    training_step,
)
from components.trainer.avoidance import path as avoidance_path
from components.trainer.losses import (
    consumption,
    corpus,
    feedback_retrieval,
    window_labels,
)
from components.trainer.towers import candidate_tower, query_tower
from schema import features, settings

_ARMS_WITH_LABELS = ("label", "feature_and_label")


class TwoTowerModel(training_step.ReportingModel):
    """A sequential query tower and a candidate tower, trained on all positions.

    The avoidance path, where the arm has one, is trained after them, by a loss of its
    own (`avoidance/training.py`).

    Batches are dictionaries of `[batch, length]` tensors: `candidate_row`,
    `is_element`, `action_set`, `value`, `value_present`, `log_gap`, `kept_log_gap`,
    `is_label`.
    """

    def __init__(
        self,
        table: candidates.CandidateTable,
        signal: feedback_signal.FeedbackSignal,
        model: settings.ModelSettings,
        train: settings.TrainSettings,
        max_length: int,
    ):
        super().__init__()
        self.signal = signal
        self._embedding_dim = model.embedding_dim
        self.task = feedback_retrieval.FeedbackRetrieval(model.temperature)
        self._negative_weight = train.negative_weight
        self._filters_history = train.filter_history
        self._is_sampled = train.is_sampled(table.num_trained)
        self._num_in_batch = train.sampled_in_batch
        self._num_uniform = train.sampled_uniform
        self._mixed_precision = train.mixed_precision
        self._seed = train.seed
        self._num_steps = tf.Variable(
            0,
            dtype=tf.int64,
            trainable=False,
            # All workers count alike.
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        labels = np.maximum(table.count[: table.num_trained].sum(), 1)
        self._label_share = tf.constant(
            table.count[: table.num_trained] / labels, tf.float32
        )
        self.candidate_tower = candidate_tower.CandidateTower(table, model, train.seed)
        self._consumption_weight = train.consumption_weight
        self.consumption_query = None
        if signal.arm in _ARMS_WITH_LABELS and train.consumption_weight > 0.0:
            self.consumption_query = consumption.ConsumptionQuery()
        # Without flag and label together a path would answer what the arm cannot see.
        self.avoidance = None
        if signal.arm == "feature_and_label" and train.similar_set_weight > 0.0:
            self.avoidance = avoidance_path.build(table, model, train)
        self.query_tower = query_tower.QueryTower(
            model, max_length, train.seed + 100, train.mixed_precision
        )

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """What a step updates: all weights but the avoidance path's."""
        path = self.avoidance.trainable_variables if self.avoidance is not None else ()
        own = {id(variable) for variable in path}
        return [v for v in self.trainable_weights if id(v) not in own]

    def query_embeddings(
        self,
        batch: dict[str, tf.Tensor],
        history_embedding: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Returns the towers' query before each element, and after the last.

        Args:
          batch: the model's inputs; `is_label` is not read.
          history_embedding: [num_rows, embedding_dim] of `candidate_tower`; rows
            beyond are unknown. Further dimensions are not read.
          training: whether dropout applies.

        Returns:
          [batch, length + 1, embedding_dim] float32.
        """
        _, item = self._known_items(batch, history_embedding)
        return self._encode(batch, item, training)

    def served_queries(
        self,
        batch: dict[str, tf.Tensor],
        history_embedding: tf.Tensor,
        user_control: tf.Tensor | float = 1.0,
    ) -> tf.Tensor:
        """Returns the same as it is served: moved by the avoidance path.

        Args:
          batch: see `query_embeddings`.
          history_embedding: see `query_embeddings`.
          user_control: multiplies what the avoidance path takes out of the query.

        Returns:
          [batch, length + 1, embedding_dim + dimensions of the path's codes] float32.
        """
        row, item = self._known_items(batch, history_embedding)
        state = self._encode(batch, item, training=False)
        if self.avoidance is None:
            return state
        return self.avoidance.move(
            state,
            item,
            row,
            self.signal.label_weights(batch[features.ACTION_SET]).negative,
            batch[input_fn.IS_ELEMENT],
            user_control,
        )

    def served_candidates(self) -> tf.Tensor:
        """Returns the embeddings of all candidates, as `served_queries` scores them.

        Returns:
          [num_candidates, embedding_dim + dimensions of the path's codes] float32.
        """
        embedding = self.candidate_tower.embed_all()
        if self.avoidance is None or self.avoidance.codes is None:
            return embedding
        return tf.concat([embedding, self.avoidance.codes.of_all()], axis=1)

    def _known_items(
        self, batch: dict[str, tf.Tensor], history_embedding: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns row [batch, length], -1: unknown, and embedding, then zeros."""
        num_rows = tf.shape(history_embedding)[0]
        row = batch[input_fn.CANDIDATE_ROW]
        known = (row >= 0) & (row < num_rows)
        # A padded copy would cost each request a pass over the whole catalogue.
        item = tf.gather(history_embedding, tf.where(known, row, 0))
        item = tf.where(known[:, :, None], item[..., : self._embedding_dim], 0.0)
        return tf.where(known, row, -1), item

    def _encode(
        self, batch: dict[str, tf.Tensor], item: tf.Tensor, training: bool
    ) -> tf.Tensor:
        inputs = self.signal.inputs(
            batch[features.ACTION_SET],
            batch[features.VALUE],
            batch[features.VALUE_PRESENT],
            batch[self.signal.gap_feature],
        )
        visible = batch[input_fn.IS_ELEMENT] & inputs.visible
        return self.query_tower(item, inputs.features, visible, training=training)

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the towers' scalar training loss: the mean over labels.

        The softmax runs over the candidates seen in training: one that is never a
        label would only ever be pushed down.
        """
        windows = self.encode(inputs, training)
        weights, query = windows.weights, windows.state[:, :-1]
        negative_weight = weights.negative * self._negative_weight
        # An element is a label of one sign at most.
        weight = weights.positive + negative_weight
        is_label = windows.is_recommendable & (weight > 0)
        total = windows.labels.loss(
            self.task, query, is_label, weight, negative_weight > 0, windows.candidates
        )
        if self.consumption_query is not None:
            is_disliked = windows.is_recommendable & (weights.negative > 0)
            total += self._consumption_weight * windows.labels.loss(
                self.task,
                self.consumption_query(query),
                is_disliked,
                weights.negative,
                tf.zeros_like(is_disliked),
                windows.candidates,
            )
        return total / replicas.num_labels(is_label)

    def encode(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> window_labels.EncodedWindows:
        """Returns a batch's encoded windows, candidates and labels."""
        row = inputs[input_fn.CANDIDATE_ROW]
        is_known = (row >= 0) & (row < self.candidate_tower.num_trained)
        usable = (
            inputs[input_fn.IS_ELEMENT] & (inputs[features.IS_LABEL] == 1) & is_known
        )
        compared, item = self._compared(row, is_known, usable, training)
        state = self._encode(inputs, item, training)
        weights = self.signal.label_weights(inputs[features.ACTION_SET])
        # What was met is filtered from what is served. As a label it would teach to
        # score highest what cannot be recommended: nothing else that was met competes.
        is_recommendable = usable
        if self._filters_history:
            is_recommendable &= ~window_labels.is_repeated(row)
        return window_labels.EncodedWindows(
            compared,
            window_labels.WindowLabels(row, item, self._filters_history),
            state,
            weights,
            inputs[input_fn.IS_ELEMENT],
            usable,
            is_recommendable,
        )

    def _compared(
        self, row: tf.Tensor, is_known: tf.Tensor, usable: tf.Tensor, training: bool
    ) -> tuple[corpus.Corpus, tf.Tensor]:
        """Returns what labels are compared with, and the items' embeddings.

        Returns:
          compared: all candidates that were seen in training, or a sample.
          item: [batch, length, embedding_dim]; zeros where the item is unknown.
        """
        tower = self.candidate_tower
        safe_row = tf.where(is_known, row, 0)
        mask = tf.cast(is_known, tf.float32)[:, :, None]
        if not self._is_sampled:
            everything = tf.range(tower.num_trained)
            embedding = tower.embed_trained(training=training)
            compared = corpus.Corpus(everything, embedding, None, self._mixed_precision)
            return compared, tf.gather(embedding, safe_row) * mask
        seed = tf.stack(
            [
                self._seed + replicas.replica_id(),
                tf.cast(self._num_steps, tf.int32) * 2,
            ]
        )
        self._num_steps.assign_add(1)
        # A batch without labels still needs something to draw from.
        pool = tf.concat([tf.boolean_mask(row, usable), [0]], axis=0)
        drawn = corpus.draw(
            pool, self._num_in_batch, self._num_uniform, tower.num_trained, seed
        )
        # Each row is embedded once, so that a step costs the same in any catalogue.
        needed = tf.concat([tf.reshape(safe_row, [-1]), drawn], axis=0)
        distinct, position = tf.unique(needed)
        embedded = tf.gather(tower.embed(distinct, training=training), position)
        num_items = tf.size(safe_row)
        shape = tf.concat([tf.shape(row), [tf.shape(embedded)[1]]], axis=0)
        expected = corpus.log_expected_count(
            drawn,
            self._label_share,
            self._num_in_batch,
            self._num_uniform,
            tower.num_trained,
        )
        compared = corpus.Corpus(
            drawn, embedded[num_items:], expected, self._mixed_precision
        )
        return compared, tf.reshape(embedded[:num_items], shape) * mask
