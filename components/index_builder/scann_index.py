"""The approximate index: a TFRS ScaNN layer whose effort is set per query."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from scann.scann_ops.py import scann_ops

from schema import errors, settings

# ScaNN cannot learn its codes from fewer points than a block has centres.
_FEWEST_POINTS = 100


@dataclasses.dataclass(frozen=True)
class SearchEffort:
    """How hard one query is searched."""

    leaves_searched: int
    num_reordered: int
    """Candidates that are rescored exactly."""


class TunableScann(tfrs.layers.factorized_top_k.ScaNN):
    """TFRS's layer, with the effort chosen after the index is built.

    The layer fixes the effort when it builds; tuning would have to build an index for
    each setting. ScaNN itself takes the effort with every search.
    """

    def __init__(self, num_leaves: int):
        """Prepares an index of so many partitions."""
        super().__init__(
            k=10,
            distance_measure="dot_product",
            num_leaves=num_leaves,
            num_leaves_to_search=num_leaves,
            # Rescoring needs the vectors kept; how many are rescored is set later.
            num_reordering_candidates=100,
        )
        self.effort = SearchEffort(num_leaves, 100)

    def call(
        self, queries: tf.Tensor, k: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the best candidates found.

        Args:
          queries: [batch, dim] float32.
          k: [] int32; the result is narrower where the searched leaves hold fewer.
            Absent (as when Keras traces the layer to save it): TFRS's default.

        Returns:
          score: [batch, at most k] float32, descending.
          row: [batch, at most k] int32.
        """
        if self._serialized_searcher is None:
            raise ValueError("`index` must be called before the first search")
        k = self._k if k is None else k
        searcher = scann_ops.searcher_from_module(self._serialized_searcher)
        found = searcher.search_batched_parallel(
            queries,
            final_num_neighbors=k,
            pre_reorder_num_neighbors=tf.maximum(k, self.effort.num_reordered),
            leaves_to_search=self.effort.leaves_searched,
        )
        return found.distances, tf.cast(found.indices, tf.int32)


def wants_exact_search(num_candidates: int, index: settings.IndexSettings) -> bool:
    """Returns whether the catalogue is too small for a partitioned index."""
    return num_candidates < max(index.min_candidates, _FEWEST_POINTS)


def num_leaves(num_candidates: int, index: settings.IndexSettings) -> int:
    """Returns the number of partitions.

    Example:
      >>> num_leaves(10_000, settings.IndexSettings())
      100
    """
    return index.num_leaves or max(2, round(math.sqrt(num_candidates)))


def check_embeddings(embedding: np.ndarray, item_id: np.ndarray) -> None:
    """Refuses embeddings that would poison the index.

    Args:
      embedding: [num_candidates, dim] float32.
      item_id: [num_candidates] bytes.

    Raises:
      InputError: some are not finite; the message names the first items.
    """
    broken = ~np.isfinite(embedding).all(axis=1)
    if broken.any():
        names = ", ".join(item.decode() for item in item_id[broken][:5])
        raise errors.InputError(
            f"{int(broken.sum())} of {len(embedding)} candidate embeddings are not "
            f"finite, so no index is built: {names} ...; the training has diverged, "
            "lower `train.learning_rate`"
        )


def build(embedding: np.ndarray, leaves: int) -> TunableScann:
    """Returns the index; its identifiers are candidate rows.

    Args:
      embedding: [num_candidates, dim] float32, finite.
      leaves: number of partitions.
    """
    layer = TunableScann(leaves)
    layer.index(tf.constant(embedding))
    # TFRS cannot save the layer before it has been called once.
    layer(tf.constant(embedding[:1]), k=1)
    return layer
