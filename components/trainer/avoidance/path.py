"""The avoidance path: what a dislike takes out of the query.

Towers that read a dislike as one more interaction move towards it: who dislikes a film
is given more of its neighbours. So the query that is served does not read a dislike
until half of its answer has faded; it is followed by dimensions that only dislikes use.
For a history of elements t, the newest
last, the scores of all candidates fall by

    user_control * strength * sum_t k_t similarity(i_t, candidate)

with `similarity` the product of codes (`codes.py`, `creator_codes.py`). Of a dislike
is left, after n further elements and a time of a,

    h_t = weight_t * 2^(-(n / half_life_events)^2) * 2^(-a / half_life)
          * max(0, 1 - sum over later likes w)

so that an answer stays for the next few slates and then goes: an exponential that lasts
as long beside the next slates has a long tail, which costs relevance (docs/adr/0052). A
like of the same item takes a dislike back: w = 1. A like of the same kind does so in
part: w = (similarity - .5) / .5, within [0, 1], or a fifth where both have the very
same categories, whichever is more (docs/adr/0064); a weaker positive action counts by
its weight. The newest dislike is answered whole, an older one less by what is newer:

    k_t = h_t * older_share^(sum of h over newer dislikes)

Candidates have their codes a tenth as long, queries ten times, which is the same
product: an index divides candidates by what lies far apart, and codes of full length
would divide them by what most queries do not ask for (docs/adr/0046).
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy import sparse

from components.trainer import candidates
from components.trainer.avoidance import codes, creator_codes, similarity
from schema import settings

_LENGTH = 0.1
"""Of a candidate's code; a query's is as much longer."""
_SAME_KIND = 0.5
"""Similarity from which a later like speaks for a disliked item."""
_SAME_CATEGORIES = 0.2
"""What a later like of the very same categories takes back of a dislike."""
_MINUTES_A_DAY = 1_440.0


class Avoidance(tf.Module):
    """The codes of a candidate table, and how dislikes use them.

    Nothing of it is trained by gradients. What it keeps has the shapes of the training
    vocabulary, so that a newer catalogue can take it over.
    """

    def __init__(self, table: candidates.CandidateTable, model: settings.ModelSettings):
        """Starts with codes that are all 0; `fit` gives them.

        Args:
          table: the candidates.
          model: its `avoidance_*`. The features are those that the tower reads.
        """
        super().__init__(name="avoidance")
        self._model = model
        self._num_trained = table.num_trained
        reads = model.candidate_features
        self._creator_index = table.creator_index * ("creator" in reads)
        self._category_index = table.category_index * ("categories" in reads)
        self._heeds_categories = model.avoidance_category_weight > 0.0
        self.has_creators = "creator" in reads and table.sizes.creators > 1
        self._is_placed = np.arange(len(table)) < table.num_trained
        for feature, index in (
            ("creator", table.creator_index[:, None]),
            ("categories", table.category_index),
            ("attributes", table.attribute_index),
            ("title", table.title_token),
        ):
            if feature in reads:
                self._is_placed = self._is_placed | (index > 0).any(axis=1)
        self._num_categories = table.sizes.categories if "categories" in reads else 1
        self._has_weights = False

    def _build(self) -> None:
        """Creates the weights, with the first use: no training step needs them.

        So they are in no checkpoint of an epoch, which would grow by half.
        """
        if self._has_weights:
            return
        self._has_weights = True
        dim, trained = self._model.avoidance_code_dim, self._num_trained
        num_reference = min(codes.NUM_REFERENCE, trained)

        def kept(*shape: int, dtype: tf.DType = tf.float32) -> tf.Variable:
            return tf.Variable(tf.zeros(shape, dtype), trainable=False)

        # A Module's variables are saved under the names of its attributes.
        self.query = kept(trained, dim)
        self.candidate = kept(trained, dim)
        self.creator_share = kept(trained)
        self.reference_embedding = kept(num_reference, self._model.embedding_dim)
        columns = self._category_index.shape[1]
        self.reference_categories = kept(num_reference, columns, dtype=tf.int32)
        self.idf = kept(self._num_categories)
        self.num_users = kept(num_reference)
        self.embedding_mean = kept(num_reference)
        self.query_projection = kept(num_reference, dim)
        self.candidate_projection = kept(num_reference, dim)

    @property
    def _weight(self) -> NDArray[np.float32]:
        model = self._model
        return np.array(
            [
                model.avoidance_audience_weight,
                model.avoidance_embedding_weight,
                model.avoidance_category_weight,
                model.avoidance_creator_weight,
            ],
            np.float32,
        )

    def _items(self, embedding: NDArray[np.float32], rows: slice) -> similarity.Items:
        return similarity.Items(
            embedding[rows],
            self._is_placed[rows],
            self._category_index[rows],
            self._creator_index[rows] > 0,
        )

    def fit(self, met: sparse.csr_matrix, embedding: NDArray[np.float32]) -> None:
        """Learns the codes from the training log and the finished towers.

        Args:
          met: [num_trained, num_users] float32; see `audience.read`.
          embedding: [num_candidates, embedding_dim] float32.
        """
        self._build()
        idf = similarity.inverse_document_frequency(
            self._category_index, self._num_categories
        )
        trained = self._items(embedding, slice(self._num_trained))
        dim = self._model.avoidance_code_dim
        found, extension = codes.fit(met, trained, idf, self._weight, dim)
        reference = extension.reference
        for variable, value in (
            (self.query, found.query),
            (self.candidate, found.candidate),
            (self.creator_share, found.creator_share),
            (self.reference_embedding, reference.embedding),
            (self.reference_categories, reference.category_index),
            (self.idf, reference.idf),
            (self.num_users, reference.num_users),
            (self.embedding_mean, reference.embedding_mean),
            (self.query_projection, extension.query_projection),
            (self.candidate_projection, extension.candidate_projection),
        ):
            variable.assign(value)

    def tables(
        self, embedding: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the codes of all candidates of the table.

        Items that training met have the codes that it gave them, whatever a newer
        catalogue says of them; the others have those of their features.

        Args:
          embedding: [num_candidates, embedding_dim] float32.

        Returns:
          query: [num_candidates, width] float32, as disliked items.
          candidate: [num_candidates, width] float32, as what resembles them, a tenth
            as long.
        """
        self._build()
        extension = codes.Extension(
            similarity.Reference(
                self.reference_embedding.numpy(),
                self.reference_categories.numpy(),
                self.idf.numpy(),
                self.num_users.numpy(),
                self.embedding_mean.numpy(),
            ),
            self.query_projection.numpy(),
            self.candidate_projection.numpy(),
        )
        new = self._items(embedding, slice(self._num_trained, None))
        unseen = codes.extend(new, extension, self._weight)
        query = np.concatenate([self.query.numpy(), unseen.query])
        candidate = np.concatenate([self.candidate.numpy(), unseen.candidate])
        if self.has_creators:
            share = np.concatenate([self.creator_share.numpy(), unseen.creator_share])
            of_creator = creator_codes.codes(self._creator_index)
            query = np.concatenate([query, share[:, None] * of_creator], axis=1)
            candidate = np.concatenate([candidate, of_creator], axis=1)
        return query, _LENGTH * candidate

    def category_sets(self) -> NDArray[np.int32]:
        """Returns a number for each candidate's set of categories.

        Returns:
          [num_candidates] int32, alike where the sets are; -1: none, or categories say
          nothing of likeness here (`avoidance_category_weight` 0).
        """
        if not self._heeds_categories:
            return np.full(len(self._category_index), -1, np.int32)
        ordered = np.sort(self._category_index, axis=1)
        _, number = np.unique(ordered, axis=0, return_inverse=True)
        has_any = (ordered > 0).any(axis=1)
        return np.where(has_any, number.reshape(-1), -1).astype(np.int32)

    def answer(
        self,
        row: tf.Tensor,
        dislike: tf.Tensor,
        like: tf.Tensor,
        log_gap: tf.Tensor,
        is_element: tf.Tensor,
        query_code: tf.Tensor,
        item_code: tf.Tensor,
        category_set: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the query's further dimensions, [batch, width] float32.

        Args:
          row: [batch, length] int32 of the items; -1: unknown, which answers nothing.
          dislike: [batch, length] float32 weight of the negative action; 0: none.
          like: [batch, length] float32 weight of the positive action; 0: none.
          log_gap: [batch, length] float32, log(1 + minutes since the element before).
          is_element: [batch, length] bool; False pads.
          query_code: [num_candidates, width] float32 of `tables`.
          item_code: [batch, length, width] float32 candidate codes of the items; 0
            where unknown.
          category_set: [num_candidates] int32 of `category_sets`.
        """
        known = is_element & (row >= 0)
        safe = tf.where(known, row, 0)
        disliked = tf.where(known[..., None], tf.gather(query_code, safe), 0.0)
        alike = tf.matmul(disliked, item_code, transpose_b=True) / _LENGTH
        holds = tf.clip_by_value((alike - _SAME_KIND) / (1.0 - _SAME_KIND), 0.0, 1.0)
        kind = tf.where(known, tf.gather(category_set, safe), -1)
        is_same = (kind[:, :, None] == kind[:, None, :]) & (kind >= 0)[:, :, None]
        holds = tf.maximum(holds, tf.where(is_same, _SAME_CATEGORIES, 0.0))
        holds = tf.where(row[:, :, None] == row[:, None, :], 1.0, holds)
        place = tf.range(tf.shape(row)[1])
        is_later = place[None, None, :] > place[None, :, None]
        weight = tf.where(known, tf.minimum(like, 1.0), 0.0)[:, None, :]
        taken_back = tf.reduce_sum(tf.where(is_later, weight * holds, 0.0), axis=2)
        left = tf.where(known, dislike, 0.0) * self._faded(log_gap, is_element)
        left *= tf.maximum(0.0, 1.0 - taken_back)
        newer = tf.cumsum(left, axis=1, exclusive=True, reverse=True)
        share = left * tf.pow(self._model.avoidance_older_share, newer)
        scale = -self._model.avoidance_strength / _LENGTH
        return scale * tf.einsum("bl,blw->bw", share, disliked)

    def is_answered(self, log_gap: tf.Tensor, is_element: tf.Tensor) -> tf.Tensor:
        """Returns where more than half of a dislike's answer is left.

        Args:
          log_gap: [batch, length] float32; see `answer`.
          is_element: [batch, length] bool; False pads.

        Returns:
          [batch, length] bool. What a later like takes back does not count.
        """
        return self._faded(log_gap, is_element) > 0.5

    def _faded(self, log_gap: tf.Tensor, is_element: tf.Tensor) -> tf.Tensor:
        """Returns what is left of each element after those that follow it."""
        one = tf.cast(is_element, tf.float32)
        num_later = tf.cumsum(one, axis=1, exclusive=True, reverse=True)
        minutes = tf.cumsum(
            one * tf.math.expm1(log_gap), axis=1, exclusive=True, reverse=True
        )
        half_lives = minutes / (_MINUTES_A_DAY * self._model.avoidance_half_life_days)
        later = num_later / self._model.avoidance_half_life_events
        return tf.pow(2.0, -tf.square(later) - half_lives)
