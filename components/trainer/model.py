"""The two-tower model: towers, labels and losses in one training step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from components.trainer import candidates, feedback_signal, replicas
from components.trainer.avoidance import path as avoidance_path
from components.trainer.losses import consumption, label_loss, softmax
from components.trainer.towers import candidate_tower, query_tower
from schema import features, settings

CANDIDATE_ROW = "candidate_row"
"""[batch, length] int32 row of each element in the candidate table; -1: unknown."""
IS_ELEMENT = "is_element"
"""[batch, length] bool; False pads."""
_ARMS_WITH_LABELS = ("label", "feature_and_label")


class TwoTowerModel(tfrs.models.Model):
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
        self._temperature = model.temperature
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
        self._mean_loss = tf.keras.metrics.Mean("loss")
        self._positions = tf.keras.metrics.Sum("positions")
        self.query_tower = query_tower.QueryTower(
            model, max_length, train.seed + 100, train.mixed_precision
        )

    # Nothing in the step needs AutoGraph, and with TFX's thousands of modules loaded
    # its conversion would take longer than an epoch on a small log.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Updates the weights by one batch; returns mean loss and positions so far."""
        with tf.GradientTape() as tape:
            loss = self.compute_loss(inputs, training=True)
        variables = self.tower_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        # Each worker's loss is its labels' share of the mean over all of them.
        self._mean_loss.update_state(loss * replicas.num_replicas())
        is_position = inputs[IS_ELEMENT] & (inputs[features.IS_LABEL] == 1)
        self._positions.update_state(tf.cast(is_position, tf.float32))
        return {
            "loss": self._mean_loss.result(),
            "positions": self._positions.result(),
        }

    @property
    def tower_variables(self) -> list[tf.Variable]:
        """What the labels train: all trainable weights but the avoidance path's."""
        path = self.avoidance.trainable_variables if self.avoidance is not None else ()
        own = {id(variable) for variable in path}
        return [v for v in self.trainable_variables if id(v) not in own]

    @property
    def metrics(self) -> list[tf.keras.metrics.Metric]:
        """The metrics that Keras resets at the start of each epoch."""
        return [self._mean_loss, self._positions]

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
        return avoidance_path.moved(
            self.avoidance,
            state,
            item,
            row,
            self.signal.label_weights(batch[features.ACTION_SET]).negative,
            batch[IS_ELEMENT],
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
        row = batch[CANDIDATE_ROW]
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
        visible = batch[IS_ELEMENT] & inputs.visible
        return self.query_tower(item, inputs.features, visible, training=training)

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the towers' scalar training loss: the mean over labels.

        The softmax runs over the candidates seen in training: one that is never a
        label would only ever be pushed down.
        """
        step = self.encode(inputs, training)
        elements, corpus, weights = step.elements, step.corpus, step.weights
        negative_weight = weights.negative * self._negative_weight
        # An element is a label of one sign at most.
        weight = weights.positive + negative_weight
        chosen = step.fresh & (weight > 0)
        query = step.state[:, :-1]
        total = elements.loss(query, chosen, weight, negative_weight > 0, corpus)
        if self.consumption_query is not None:
            disliked = step.fresh & (weights.negative > 0)
            total += self._consumption_weight * elements.loss(
                self.consumption_query(query),
                disliked,
                weights.negative,
                tf.zeros_like(disliked),
                corpus,
            )
        return total / replicas.num_labels(chosen)

    def encode(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> label_loss.Step:
        """Returns a step's encoded windows, candidates and labels."""
        row = inputs[CANDIDATE_ROW]
        is_known = (row >= 0) & (row < self.candidate_tower.num_trained)
        usable = inputs[IS_ELEMENT] & (inputs[features.IS_LABEL] == 1) & is_known
        corpus, item = self._corpus(row, is_known, usable, training)
        state = self._encode(inputs, item, training)
        weights = self.signal.label_weights(inputs[features.ACTION_SET])
        # What was met is filtered from what is served. As a label it would teach to
        # score highest what cannot be recommended: nothing else that was met competes.
        fresh = usable
        if self._filters_history:
            fresh &= ~label_loss.is_repeated(row)
        elements = label_loss.Elements(
            row, item, self._temperature, self._filters_history
        )
        return label_loss.Step(
            corpus, elements, state, item, weights, inputs[IS_ELEMENT], usable, fresh
        )

    def _corpus(
        self, row: tf.Tensor, is_known: tf.Tensor, usable: tf.Tensor, training: bool
    ) -> tuple[softmax.Corpus, tf.Tensor]:
        """Returns the softmax's candidates, and the items' embeddings.

        Returns:
          corpus: all candidates seen in training, or a sample.
          item: [batch, length, embedding_dim]; zeros where the item is unknown.
        """
        tower = self.candidate_tower
        safe_row = tf.where(is_known, row, 0)
        mask = tf.cast(is_known, tf.float32)[:, :, None]
        if not self._is_sampled:
            everything = tf.range(tower.num_trained)
            embedding = tower.embed_trained(training=training)
            corpus = softmax.Corpus(everything, embedding, None, self._mixed_precision)
            return corpus, tf.gather(embedding, safe_row) * mask
        seed = tf.stack(
            [
                self._seed + replicas.replica_id(),
                tf.cast(self._num_steps, tf.int32) * 2,
            ]
        )
        self._num_steps.assign_add(1)
        # A batch without labels still needs something to draw from.
        pool = tf.concat([tf.boolean_mask(row, usable), [0]], axis=0)
        drawn = softmax.draw(
            pool, self._num_in_batch, self._num_uniform, tower.num_trained, seed
        )
        # Each row is embedded once, so that a step costs the same in any catalogue.
        needed = tf.concat([tf.reshape(safe_row, [-1]), drawn], axis=0)
        distinct, position = tf.unique(needed)
        embedded = tf.gather(tower.embed(distinct, training=training), position)
        num_items = tf.size(safe_row)
        shape = tf.concat([tf.shape(row), [tf.shape(embedded)[1]]], axis=0)
        expected = softmax.log_expected_count(
            drawn,
            self._label_share,
            self._num_in_batch,
            self._num_uniform,
            tower.num_trained,
        )
        corpus = softmax.Corpus(
            drawn, embedded[num_items:], expected, self._mixed_precision
        )
        return corpus, tf.reshape(embedded[:num_items], shape) * mask
