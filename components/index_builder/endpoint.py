"""The served model: raw history in, item ids and scores out.

History and excluded items are filtered inside the graph. So many more candidates are
fetched that the filter cannot eat into the k asked for, and a request whose searched
leaves hold too few is searched exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.index_builder import (
    diversity,
    drop_and_rank,
    label_filter,
    similar_items,
)
from serving.bundle import catalog, signature

_NO_SCORE = drop_and_rank.NO_SCORE


def _tensor_specs(
    inputs: Mapping[str, signature.TensorSpec],
) -> tuple[tf.TensorSpec, ...]:
    return tuple(tf.TensorSpec(s.shape, s.dtype, name) for name, s in inputs.items())


_REQUEST = _tensor_specs(signature.REQUEST_INPUTS)
_FILTERED = _tensor_specs(signature.FILTERED_INPUTS)
_CONTROLLED = _tensor_specs(signature.CONTROLLED_INPUTS)
_DIVERSE = _tensor_specs(signature.DIVERSE_INPUTS)
_SIMILAR = _tensor_specs(signature.SIMILAR_INPUTS)


class RetrievalEndpoint(tf.Module):
    """The towers of the Trainer with an index over their candidates.

    Rows of the candidate table that may not be recommended (withdrawn items) are known
    to the towers, as histories hold them, and to nothing else in here: the index, the
    filters and the answers count servable candidates only.
    """

    def __init__(
        self,
        towers: Any,
        scann_layer: Any | None,
        servable_row: NDArray[np.int32] | None = None,
        items: Mapping[bytes, catalog.Item] | None = None,
    ):
        """Wraps loaded towers.

        Args:
          towers: the loaded SavedModel of the Trainer (`signatures.Towers`).
          scann_layer: the index over the servable candidates; absent: exact search
            with stock operations.
          servable_row: [num_servable] int32 rows of the candidate table; absent: all.
          items: the catalogue, for the filters.
        """
        super().__init__()
        self.towers = towers
        self.scann_layer = scann_layer
        candidates = towers.candidates()
        item_id = candidates["item_id"].numpy()
        if servable_row is None:
            servable_row = np.arange(len(item_id), dtype=np.int32)
        self._embedding = tf.Variable(
            tf.gather(candidates["embedding"], servable_row), trainable=False
        )
        self._item_id = tf.constant(item_id[servable_row].tolist(), tf.string)
        self._num_candidates = len(servable_row)
        # The last entry is that of unknown items, whose row is -1.
        position = np.full(len(item_id) + 1, -1, np.int32)
        position[servable_row] = np.arange(len(servable_row))
        self._position_of_row = tf.Variable(position, trainable=False)
        known, unlisted = items or {}, catalog.Item()
        served = [known.get(i, unlisted) for i in item_id[servable_row].tolist()]
        categories = [item.categories for item in served]
        creators = [[item.creator_id] for item in served]
        self.categories = label_filter.LabelRows(categories)
        self.creators = label_filter.LabelRows(creators)
        self.category_codes = diversity.LabelCodes(categories)
        self.creator_codes = diversity.LabelCodes(creators)

    def _dropped_rows(self, *item_id: tf.Tensor) -> tf.Tensor:
        """Returns the items' servable candidates, [batch, n] int32; -1: none."""
        row = tf.concat([self.towers.rows(one) for one in item_id], axis=1)
        unknown = tf.size(self._position_of_row) - 1
        return tf.gather(self._position_of_row, tf.where(row < 0, unknown, row))

    def _search_exactly(
        self, query: tf.Tensor, dropped_row: tf.Tensor, k: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        score = tf.matmul(query, self._embedding, transpose_b=True)
        found = tf.math.top_k(score, k=self._num_wanted(dropped_row, k))
        return drop_and_rank.drop_and_rank(found.values, found.indices, dropped_row, k)

    def _num_wanted(self, dropped_row: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
        """Returns how many must be found so that k are left of every request."""
        num_dropped = tf.reduce_sum(tf.cast(dropped_row >= 0, tf.int32), axis=1)
        most = tf.reduce_max(tf.concat([num_dropped, [0]], axis=0))
        return tf.minimum(self._num_candidates, k + most)

    def _search(
        self, query: tf.Tensor, dropped_row: tf.Tensor, k: tf.Tensor, asked: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if self.scann_layer is None:
            return self._search_exactly(query, dropped_row, k)
        score, row = self.scann_layer(query, k=self._num_wanted(dropped_row, k))
        # Searched leaves that hold too few give narrower results.
        missing = tf.maximum(k - tf.shape(score)[1], 0)
        score = tf.pad(score, [[0, 0], [0, missing]], constant_values=_NO_SCORE)
        row = tf.pad(tf.cast(row, tf.int32), [[0, 0], [0, missing]])
        score, row = drop_and_rank.drop_and_rank(score, row, dropped_row, k)
        num_found = tf.reduce_sum(tf.cast(tf.math.is_finite(score), tf.int32), axis=1)
        short = num_found < tf.minimum(asked, k)

        def complete() -> tuple[tf.Tensor, tf.Tensor]:
            # The others keep their answer: it must not depend on who else asks.
            exact_score, exact_row = self._search_exactly(query, dropped_row, k)
            return (
                tf.where(short[:, None], exact_score, score),
                tf.where(short[:, None], exact_row, row),
            )

        score, row = tf.cond(tf.reduce_any(short), complete, lambda: (score, row))
        return score, row

    def _query(
        self, item_id: tf.Tensor, action: tf.Tensor, time: tf.Tensor, value: tf.Tensor
    ) -> tf.Tensor:
        return self.towers.embed_query(item_id, action, time, value)["query_embedding"]

    def _num_results(self, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the width of the answer, and how much of it can be filled."""
        width = tf.reduce_max(tf.concat([k, [0]], axis=0))
        return width, tf.clip_by_value(width, 0, self._num_candidates)

    def _answer(
        self, score: tf.Tensor, row: tf.Tensor, k: tf.Tensor, width: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        padding = [[0, 0], [0, tf.maximum(width - tf.shape(score)[1], 0)]]
        score = tf.pad(score, padding, constant_values=_NO_SCORE)
        row = tf.pad(row, padding)
        asked = tf.range(tf.shape(score)[1])[None, :] < k[:, None]
        score = tf.where(asked, score, _NO_SCORE)
        item_id = tf.where(tf.math.is_finite(score), tf.gather(self._item_id, row), "")
        return {"item_id": item_id, "score": score}

    @tf.function(input_signature=_REQUEST, autograph=False)
    def recommend(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
        exclude_item_id: tf.Tensor,
        k: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Answers a batch of requests.

        Args:
          history_item_id: [batch, length] string, oldest first, "" pads.
          history_action: [batch, length] string, several joined by `|`.
          history_timestamp: [batch, length] int64 milliseconds UTC.
          history_value: [batch, length] float32, NaN: absent.
          exclude_item_id: [batch, n] string, "" pads.
          k: [batch] int32, results asked for.

        Returns:
          item_id: [batch, max k] string, best first, "" pads.
          score: [batch, max k] float32, -inf pads.
        """
        query = self._query(
            history_item_id, history_action, history_timestamp, history_value
        )
        dropped_row = self._dropped_rows(history_item_id, exclude_item_id)
        width, num_results = self._num_results(k)
        score, row = self._search(query, dropped_row, num_results, k)
        return self._answer(score, row, k, width)

    @tf.function(input_signature=_FILTERED, autograph=False)
    def recommend_filtered(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
        exclude_item_id: tf.Tensor,
        k: tf.Tensor,
        category: tf.Tensor,
        creator_id: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Answers a batch of requests with items of given categories or creators.

        It takes and gives what `recommend` does, and takes two more: `category`,
        [batch, n] string, "" pads (an item needs one of them; none: any), and
        `creator_id`, likewise. Both given: both hold.
        """
        query = self._query(
            history_item_id, history_action, history_timestamp, history_value
        )
        dropped_row = self._dropped_rows(history_item_id, exclude_item_id)
        width, num_results = self._num_results(k)
        passes = (self.categories, category), (self.creators, creator_id)
        score, row = label_filter.search(
            self._embedding, query, dropped_row, passes, num_results
        )
        return self._answer(score, row, k, width)

    @tf.function(input_signature=_CONTROLLED, autograph=False)
    def recommend_controlled(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
        exclude_item_id: tf.Tensor,
        k: tf.Tensor,
        user_control: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Answers a batch of requests that say how much a dislike shall change.

        It takes and gives what `recommend` does, and takes one more: `user_control`,
        [batch] float32 in [0, 2]: 0 is what the log says people do, 1 what the model
        was made for; NaN: what it is served with.
        """
        query = self.towers.embed_controlled_query(
            history_item_id,
            history_action,
            history_timestamp,
            history_value,
            user_control,
        )["query_embedding"]
        dropped_row = self._dropped_rows(history_item_id, exclude_item_id)
        width, num_results = self._num_results(k)
        score, row = self._search(query, dropped_row, num_results, k)
        return self._answer(score, row, k, width)

    @tf.function(input_signature=_DIVERSE, autograph=False)
    def recommend_diverse(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
        exclude_item_id: tf.Tensor,
        k: tf.Tensor,
        user_control: tf.Tensor,
        most_of_creator: tf.Tensor,
        most_of_category: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Answers a batch of requests with at most so many of a creator or category.

        It takes and gives what `recommend_controlled` does, and takes two more, [batch]
        int32, 0: no limit. The search is exact. From the best item on, each is taken
        that keeps both limits; fewer than k come only where the catalogue has no more.
        """
        query = self.towers.embed_controlled_query(
            history_item_id,
            history_action,
            history_timestamp,
            history_value,
            user_control,
        )["query_embedding"]
        dropped_row = self._dropped_rows(history_item_id, exclude_item_id)
        width, num_results = self._num_results(k)
        limits = (
            (self.creator_codes, most_of_creator),
            (self.category_codes, most_of_category),
        )
        score, row = diversity.search(
            self._embedding, query, dropped_row, limits, num_results
        )
        return self._answer(score, row, k, width)

    @tf.function(input_signature=_SIMILAR, autograph=False)
    def similar(
        self, item_id: tf.Tensor, exclude_item_id: tf.Tensor, k: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Answers as `recommend` does, by cosine with given items, which it drops."""
        dropped_row = self._dropped_rows(item_id, exclude_item_id)
        width, num_results = self._num_results(k)
        score, row = similar_items.nearest(
            self._embedding,
            self._dropped_rows(item_id),
            dropped_row,
            self._num_wanted(dropped_row, num_results),
            num_results,
        )
        return self._answer(score, row, k, width)


def export(endpoint: RetrievalEndpoint, directory: str) -> None:
    """Writes the SavedModel with all signatures of `serving.bundle.signature`."""
    tf.saved_model.save(
        endpoint,
        directory,
        signatures={
            signature.DEFAULT_SIGNATURE: endpoint.recommend,
            signature.FILTERED_SIGNATURE: endpoint.recommend_filtered,
            signature.CONTROLLED_SIGNATURE: endpoint.recommend_controlled,
            signature.DIVERSE_SIGNATURE: endpoint.recommend_diverse,
            signature.SIMILAR_SIGNATURE: endpoint.similar,
        },
    )
