"""The approximate index: ScaNN inside the graph, its effort set per search."""

from __future__ import annotations

import dataclasses
import uuid

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scann.scann_ops.py import scann_ops

from schema import errors, settings

# ScaNN cannot learn its codes from fewer points than a block has centres.
_FEWEST_POINTS = 100
_DEFAULT_K = 100
"""What a search would find that names no k; every search of ours names one."""


@dataclasses.dataclass(frozen=True)
class IndexShape:
    """What is fixed when the index is built."""

    num_leaves: int
    """Partitions."""
    dims_per_block: int = 2
    """Dimensions that share one 4-bit code: more is smaller, faster and coarser."""


@dataclasses.dataclass(frozen=True)
class SearchEffort:
    """How hard one query is searched."""

    leaves_searched: int
    num_reordered: int
    """Candidates that are rescored exactly."""


class TunableScann(tf.Module):
    """A ScaNN index in a SavedModel, with the effort chosen after it is built.

    TFRS's layer fixes the effort when it builds, so that tuning would have to build an
    index for each setting; ScaNN itself takes the effort with every search. As a plain
    module it also spares the tracing that Keras does to save a layer, 9 s each time.

    The same embeddings give the same index, however busy the machine is.
    """

    def __init__(self, embedding: NDArray[np.float32], shape: IndexShape):
        """Builds the index.

        Args:
          embedding: [num_candidates, dim] float32, finite.
          shape: partitions and quantisation.
        """
        super().__init__()
        self.shape = shape
        self.effort = SearchEffort(shape.num_leaves, _DEFAULT_K)
        builder = scann_ops.builder(
            db=tf.constant(embedding),
            num_neighbors=_DEFAULT_K,
            distance_measure="dot_product",
        )
        searcher = (
            builder.tree(
                num_leaves=shape.num_leaves,
                num_leaves_to_search=shape.num_leaves,
                # Random ones would come in the order of a hash set, which differs from
                # process to process.
                random_init=False,
            )
            .score_ah(dimensions_per_block=shape.dims_per_block)
            # Rescoring needs the vectors kept; how many are rescored is set later.
            .reorder(_DEFAULT_K)
            # Of centres that are equally near, several threads take whichever comes
            # first.
            .set_n_training_threads(1)
            # Two searchers of one name would share their state.
            .build(shared_name=f"heed/{uuid.uuid4()}")
        )
        self._state = searcher.serialize_to_module()
        _clear_unused(self._state)

    def __call__(self, query: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the best candidates found.

        Args:
          query: [batch, dim] float32.
          k: [] int32; the result is narrower where the searched leaves hold fewer.

        Returns:
          score: [batch, at most k] float32, descending.
          row: [batch, at most k] int32.
        """
        # ScaNN takes another way for a batch of one, which may choose other leaves: an
        # answer would depend on who else asks, and what is measured in batches would
        # not be what is served.
        batch = tf.shape(query)[0]
        companion = query[: tf.cast(batch == 1, tf.int32)]
        found = scann_ops.searcher_from_module(self._state).search_batched_parallel(
            tf.concat([query, companion], axis=0),
            final_num_neighbors=k,
            pre_reorder_num_neighbors=tf.maximum(k, self.effort.num_reordered),
            leaves_to_search=self.effort.leaves_searched,
        )
        return found.distances[:batch], tf.cast(found.indices[:batch], tf.int32)


def _clear_unused(state: tf.Module) -> None:
    """Sets to 0 what this kind of index does not use: numbers that nothing has set."""
    for variable in state.variables:
        if variable.dtype != tf.string and not variable.numpy().ndim:
            variable.assign(tf.zeros([], variable.dtype))


def wants_exact_search(num_candidates: int, index: settings.IndexSettings) -> bool:
    """Returns whether no index is to be built, by size of the catalogue or as told."""
    if index.search == "exact" or num_candidates < _FEWEST_POINTS:
        return True
    return index.search == "auto" and num_candidates < index.min_candidates


def check_embeddings(
    embedding: NDArray[np.float32], item_id: NDArray[np.object_]
) -> None:
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
