"""The candidate tower: id and features of an item become one embedding."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.trainer import candidates
from schema import settings


class CandidateTower(tf.keras.layers.Layer):
    """Embeds the rows of a candidate table.

    The embedding is the sum of an id embedding and, of each feature, the mean over its
    values: creator, categories, declared features, words of the title. Items without
    an id embedding of their own share one; it is learnt by id dropout, which replaces
    a share of the ids in training, so that a new item is placed by its features at the
    level of an average item.
    """

    def __init__(
        self,
        table: candidates.CandidateTable,
        model: settings.ModelSettings,
        seed: int,
        name: str = "candidate_tower",
    ):
        """Creates the weights for `table`, which becomes a constant of the graph."""
        super().__init__(name=name)
        self.num_candidates = len(table)
        self.num_trained = table.num_trained
        self._id_dropout = model.id_dropout
        # Its state is a variable, so that a checkpoint can hold it.
        self._generator = tf.random.Generator.from_seed(seed)
        row = np.arange(len(table))
        id_index = np.where(row < table.num_trained, row + 1, 0)
        self._id_index = tf.constant(id_index, tf.int32)
        word = table.title_token
        bucket = np.where(word > 0, 1 + (word - 1) % model.title_buckets, 0)
        self._values = {}
        self._embeddings = {}
        self._means = {}

        def embedding(name: str, size: int, index: int) -> tf.Variable:
            initializer = tf.keras.initializers.RandomNormal(
                stddev=model.embedding_dim**-0.5, seed=seed + index
            )
            shape = (size, model.embedding_dim)
            return self.add_weight(f"{name}_embedding", shape, initializer=initializer)

        self._id_embedding = embedding("id", table.num_trained + 1, 1)
        sizes = table.sizes
        features = {
            "creator": ("creator", sizes.creators, table.creator_index[:, None]),
            "categories": ("category", sizes.categories, table.category_index),
            "attributes": ("attribute", sizes.attributes, table.attribute_index),
            "title": ("title", model.title_buckets + 1, bucket),
        }
        # Also what the catalogue lacks has its weights: a newer one may have it.
        for place, (feature, (name, size, values)) in enumerate(features.items()):
            if feature in model.candidate_features:
                self._values[name] = tf.constant(values, tf.int32)
                self._means[name] = _mean_matrix(values[: table.num_trained], size)
                self._embeddings[name] = embedding(name, size, place + 2)

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
        total = self._of_ids(row, training)
        for name, values in self._values.items():
            total += _mean(self._embeddings[name], tf.gather(values, row))
        return total

    def embed_trained(self, training: bool = False) -> tf.Tensor:
        """Returns what `embed` does of all rows below `num_trained`, in less time.

        The means are products with a sparse matrix, whose gradient touches no padding
        and needs no sorting of repeated rows.

        Returns:
          [num_trained, embedding_dim] float32.
        """
        total = self._of_ids(tf.range(self.num_trained), training)
        for name, matrix in self._means.items():
            total += tf.sparse.sparse_dense_matmul(matrix, self._embeddings[name])
        return total

    def _of_ids(self, row: tf.Tensor, training: bool) -> tf.Tensor:
        id_index = tf.gather(self._id_index, row)
        if training and self._id_dropout > 0.0:
            drawn = self._generator.uniform(tf.shape(id_index))
            keep = drawn >= self._id_dropout
            id_index = tf.where(keep, id_index, 0)
        return tf.gather(self._id_embedding, id_index)

    def embed_all(self, chunk: int = 50_000) -> tf.Tensor:
        """Returns all embeddings, computed in chunks to bound memory.

        Returns:
          [num_candidates, embedding_dim] float32.
        """
        starts = range(0, self.num_candidates, chunk)
        rows = [
            tf.range(start, min(start + chunk, self.num_candidates)) for start in starts
        ]
        return tf.concat([self.embed(row) for row in rows], axis=0)


def _mean_matrix(
    index: NDArray[np.int32] | NDArray[np.int64], size: int
) -> tf.SparseTensor:
    """Returns [num_rows, size] whose product with an embedding is each row's mean."""
    row, column = np.nonzero(index > 0)
    count = np.bincount(row, minlength=len(index))
    return tf.SparseTensor(
        np.stack([row, index[row, column]], axis=1).astype(np.int64).reshape(-1, 2),
        (1.0 / count[row]).astype(np.float32),
        (len(index), size),
    )


def _mean(embedding: tf.Variable, index: tf.Tensor) -> tf.Tensor:
    """Returns [n, dim] means over the values of [n, values]; 0 where there is none."""
    present = tf.cast(index > 0, tf.float32)[:, :, None]
    if index.shape[1] == 1:
        return tf.gather(embedding, index[:, 0]) * present[:, 0]
    total = tf.reduce_sum(tf.gather(embedding, index) * present, axis=1)
    return total / tf.maximum(tf.reduce_sum(present, axis=1), 1.0)
