"""The candidate tower: id, creator and categories become one embedding."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.trainer import candidates


class CandidateTower(tf.keras.layers.Layer):
    """Embeds the rows of a candidate table.

    The embedding is the sum of an id embedding, a creator embedding and the mean of
    the category embeddings. Items without an id embedding of their own share one; it
    is learnt by id dropout, which replaces a share of the ids in training, so that a
    new item is placed by its features at the level of an average item.
    """

    def __init__(
        self,
        table: candidates.CandidateTable,
        embedding_dim: int,
        id_dropout: float,
        seed: int,
    ):
        """Creates the weights for `table`, which becomes a constant of the graph."""
        super().__init__(name="candidate_tower")
        self.num_candidates = len(table)
        self.num_trained = table.num_trained
        self._id_dropout = id_dropout
        # Its state is a variable, so that a checkpoint can hold it.
        self._generator = tf.random.Generator.from_seed(seed)
        row = np.arange(len(table))
        id_index = np.where(row < table.num_trained, row + 1, 0)
        self._id_index = tf.constant(id_index, tf.int32)
        self._creator_index = tf.constant(table.creator_index)
        self._category_index = tf.constant(table.category_index)

        def embedding(name: str, size: int, index: int) -> tf.Variable:
            initializer = tf.keras.initializers.RandomNormal(
                stddev=embedding_dim**-0.5, seed=seed + index
            )
            return self.add_weight(name, (size, embedding_dim), initializer=initializer)

        self._id_embedding = embedding("id_embedding", table.num_trained + 1, 1)
        self._creator_embedding = embedding("creator_embedding", table.num_creators, 2)
        self._category_embedding = embedding(
            "category_embedding", table.num_categories, 3
        )

    def call(self, num_rows: int, training: bool = False) -> tf.Tensor:
        """Returns the embeddings of the first `num_rows` candidates of the table.

        Returns:
          [num_rows, embedding_dim] float32.
        """
        return self.embed(tf.range(num_rows), training=training)

    def embed(self, row: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the embeddings of the given rows of the table.

        Args:
          row: [n] int32.
          training: whether id dropout applies.

        Returns:
          [n, embedding_dim] float32.
        """
        id_index = tf.gather(self._id_index, row)
        if training and self._id_dropout > 0.0:
            drawn = self._generator.uniform(tf.shape(id_index))
            keep = drawn >= self._id_dropout
            id_index = tf.where(keep, id_index, 0)
        creator_index = tf.gather(self._creator_index, row)
        category_index = tf.gather(self._category_index, row)

        creator = tf.gather(self._creator_embedding, creator_index)
        has_creator = tf.cast(creator_index > 0, tf.float32)[:, None]
        has_category = tf.cast(category_index > 0, tf.float32)[:, :, None]
        category = tf.gather(self._category_embedding, category_index)
        category_sum = tf.reduce_sum(category * has_category, axis=1)
        num_category = tf.maximum(tf.reduce_sum(has_category, axis=1), 1.0)
        return (
            tf.gather(self._id_embedding, id_index)
            + creator * has_creator
            + category_sum / num_category
        )

    def embed_all(self, chunk: int = 50_000) -> tf.Tensor:
        """Returns all embeddings, computed in chunks to bound memory.

        Returns:
          [num_candidates, embedding_dim] float32.
        """
        starts = range(0, self.num_candidates, chunk)
        ends = [min(start + chunk, self.num_candidates) for start in starts]
        parts = [
            self.embed(tf.range(start, end))
            for start, end in zip(starts, ends, strict=True)
        ]
        return tf.concat(parts, axis=0)
