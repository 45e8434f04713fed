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

    The avoidance path, where the arm has one, is fitted after them: the towers are
    trained as if it were not there, but for the dislikes that a step hides from the
    query tower, as serving hides those that are answered (`avoidance/path.py`).

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
        self._dislike_dropout = 0.0
        if signal.arm == "feature_and_label":
            self._dislike_dropout = train.dislike_dropout
            if model.avoidance_strength > 0.0:
                self.avoidance = avoidance_path.Avoidance(table, model)
        # Its state is a variable, so that a checkpoint can hold it.
        self._generator = tf.random.Generator.from_seed(train.seed + 400)
        self.query_tower = query_tower.QueryTower(
            model, max_length, train.seed + 100, train.mixed_precision
        )

    def query_embeddings(
        self,
        batch: dict[str, tf.Tensor],
        history_embedding: tf.Tensor,
        hidden: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Returns the towers' query before each element, and after the last.

        Args:
          batch: the model's inputs; `is_label` is not read.
          history_embedding: [num_rows, embedding_dim] of `candidate_tower`; rows
            beyond are unknown. Further dimensions are not read.
          hidden: [batch, length] bool, elements that the query tower does not read;
            None: it reads all.
          training: whether dropout applies.

        Returns:
          [batch, length + 1, embedding_dim] float32.
        """
        _, item, _ = self._known_items(batch, history_embedding)
        if hidden is None:
            hidden = tf.zeros_like(batch[input_fn.IS_ELEMENT])
        return self._encode(batch, item, hidden, training)

    def served_query(
        self,
        batch: dict[str, tf.Tensor],
        candidate: tf.Tensor,
        query_code: tf.Tensor,
        category_set: tf.Tensor,
        user_control: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the query after the last element, as it is served.

        Dislikes that are answered are hidden from the query tower to the share
        min(user_control, 1), and user_control times what the avoidance path says
        follows. What has faded the tower reads as anything else that was met.

        Args:
          batch: see `query_embeddings`.
          candidate: [num_candidates, embedding_dim + width] of `served_tables`.
          query_code: [num_candidates, width] of `served_tables`.
          category_set: [num_candidates] of `served_tables`.
          user_control: [batch] float32, 0 or more.

        Returns:
          [batch, embedding_dim + width] float32.
        """
        if self.avoidance is None:
            return self.query_embeddings(batch, candidate)[:, -1]
        row, _, code = self._known_items(batch, candidate)
        weights = self.signal.label_weights(batch[features.ACTION_SET])
        is_answered = self.dislikes(batch) & self.avoidance.is_answered(
            batch[features.LOG_GAP], batch[input_fn.IS_ELEMENT]
        )
        hidden = self.query_embeddings(batch, candidate, is_answered)[:, -1]
        share = tf.minimum(user_control, 1.0)[:, None]

        def blended() -> tf.Tensor:
            visible = self.query_embeddings(batch, candidate)[:, -1]
            return (1.0 - share) * visible + share * hidden

        # The second pass is for those alone who ask for less than the whole answer.
        query = tf.cond(tf.reduce_any(share < 1.0), blended, lambda: hidden)
        away = self.avoidance.answer(
            row,
            weights.negative,
            weights.positive,
            batch[features.LOG_GAP],
            batch[input_fn.IS_ELEMENT],
            query_code,
            code,
            category_set,
        )
        return tf.concat([query, user_control[:, None] * away], axis=1)

    def dislikes(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns at which elements the user stated a dislike, [batch, length] bool."""
        return self.signal.is_explicit_negative(batch[features.ACTION_SET])

    def served_tables(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns what `served_query` and the index need of all candidates.

        Returns:
          candidate: [num_candidates, embedding_dim + width] float32, embeddings and
            the path's codes. Without a path width is 0.
          query_code: [num_candidates, width] float32 of the items as disliked ones.
          category_set: [num_candidates] int32 of `Avoidance.category_sets`.
        """
        embedding = self.candidate_tower.embed_all()
        if self.avoidance is None:
            number = self.candidate_tower.num_candidates
            return embedding, tf.zeros((number, 0)), tf.fill([number], -1)
        query_code, candidate_code = self.avoidance.tables(embedding.numpy())
        candidate = tf.concat([embedding, candidate_code], axis=1)
        category_set = tf.constant(self.avoidance.category_sets())
        return candidate, tf.constant(query_code), category_set

    def _known_items(
        self, batch: dict[str, tf.Tensor], history_embedding: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns row [batch, length], -1: unknown, embedding and code, then zeros."""
        num_rows = tf.shape(history_embedding)[0]
        row = batch[input_fn.CANDIDATE_ROW]
        known = (row >= 0) & (row < num_rows)
        # A copy of the table, padded or cut to the embedding or the code, would cost
        # each request a pass over the whole catalogue: rows first.
        item = tf.gather(history_embedding, tf.where(known, row, 0))
        item = tf.where(known[:, :, None], item, 0.0)
        dim = self._embedding_dim
        return tf.where(known, row, -1), item[..., :dim], item[..., dim:]

    def _encode(
        self,
        batch: dict[str, tf.Tensor],
        item: tf.Tensor,
        hidden: tf.Tensor,
        training: bool,
    ) -> tf.Tensor:
        """Returns [batch, length + 1, embedding_dim] of the elements not `hidden`."""
        gap = batch[self.signal.gap_feature]
        # Not even the time between its neighbours may tell of a hidden element.
        follows_hidden = tf.pad(hidden, [[0, 0], [1, 0]])[:, :-1]
        gap = tf.where(follows_hidden, batch[features.KEPT_LOG_GAP], gap)
        inputs = self.signal.inputs(
            batch[features.ACTION_SET],
            batch[features.VALUE],
            batch[features.VALUE_PRESENT],
            gap,
        )
        visible = batch[input_fn.IS_ELEMENT] & inputs.visible & ~hidden
        return self.query_tower(item, inputs.features, visible, training=training)

    def _drawn_dislikes(self, batch: dict[str, tf.Tensor], training: bool) -> tf.Tensor:
        """Returns the dislikes that a training step hides, [batch, length] bool."""
        negative = self.dislikes(batch)
        if not training or self._dislike_dropout == 0.0:
            return tf.zeros_like(negative)
        drawn = self._generator.uniform(tf.shape(negative))
        return negative & (drawn < self._dislike_dropout)

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the towers' scalar training loss: the mean over labels.

        The softmax runs over the candidates seen in training: one that is never a
        label would only ever be pushed down.
        """
        row = inputs[input_fn.CANDIDATE_ROW]
        is_known = (row >= 0) & (row < self.candidate_tower.num_trained)
        usable = (
            inputs[input_fn.IS_ELEMENT] & (inputs[features.IS_LABEL] == 1) & is_known
        )
        compared, item = self._compared(row, is_known, usable, training)
        hidden = self._drawn_dislikes(inputs, training)
        query = self._encode(inputs, item, hidden, training)[:, :-1]
        weights = self.signal.label_weights(inputs[features.ACTION_SET])
        # What was met is filtered from what is served. As a label it would teach to
        # score highest what cannot be recommended: nothing else that was met competes.
        is_recommendable = usable
        if self._filters_history:
            is_recommendable &= ~window_labels.is_repeated(row)
        labels = window_labels.WindowLabels(row, item, self._filters_history)
        negative_weight = weights.negative * self._negative_weight
        # An element is a label of one sign at most.
        weight = weights.positive + negative_weight
        is_label = is_recommendable & (weight > 0)
        total = labels.loss(
            self.task, query, is_label, weight, negative_weight > 0, compared
        )
        if self.consumption_query is not None:
            is_disliked = is_recommendable & (weights.negative > 0)
            total += self._consumption_weight * labels.loss(
                self.task,
                self.consumption_query(query),
                is_disliked,
                weights.negative,
                tf.zeros_like(is_disliked),
                compared,
            )
        return total / replicas.num_labels(is_label)

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
