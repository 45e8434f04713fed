"""Towers by hand over 240 items whose likeness is known, sound or with one fault.

The items lie in eight clusters of three category sets each; item n belongs to cluster
n % 8, so that neighbours in the vocabulary are never alike. The sound model's query is
the sum of what was liked, minus twenty times what was disliked.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

NUM_CLUSTERS, NUM_ITEMS = 8, 240
IDS = [b"i%03d" % n for n in range(NUM_ITEMS)]
CLUSTER = np.arange(NUM_ITEMS) % NUM_CLUSTERS
NUM_SETS = 3
SET = CLUSTER * NUM_SETS + np.arange(NUM_ITEMS) // NUM_CLUSTERS % NUM_SETS
"""Items of a set have the same categories, and the same creator."""


def embeddings(seed=1):
    """A direction for each cluster, and a little of each item's own."""
    rng = np.random.default_rng(seed)
    direction = np.eye(NUM_CLUSTERS)[rng.permutation(NUM_CLUSTERS)]
    own = 0.1 * rng.normal(size=(NUM_ITEMS, 8))
    return np.concatenate([direction[CLUSTER], own], axis=1).astype(np.float32)


class Towers(tf.Module):
    """What the Trainer exports, made by hand; each argument plants a fault."""

    def __init__(
        self,
        candidate=None,
        of_history=None,
        item_id=None,
        sign=1.0,
        dislike=-20.0,
        shift=0,
        fixed_query=None,
        heeds_last_alone=False,
        heeds_from_length=0,
        resents_views=False,
        sets_alone=False,
    ):
        """Makes the towers.

        Args:
          candidate: embeddings of the candidates.
          of_history: embeddings that the query is summed from; default: the same.
          item_id: names of the candidates, by row.
          sign: of all feedback.
          dislike: weight of a disliked item.
          shift: rows by which the vocabulary is off.
          fixed_query: the answer to everything.
          heeds_last_alone: a dislike is forgotten with the next element.
          heeds_from_length: elements of the shortest history whose dislikes count.
          resents_views: the last element counts as a dislike unless it is a like.
          sets_alone: a dislike pulls, and takes away its identical category set.
        """
        super().__init__()
        self.heeds_last_alone, self.heeds_from_length = (
            heeds_last_alone,
            heeds_from_length,
        )
        self.resents_views = resents_views
        self.sets = None
        if sets_alone:
            of_set = np.eye(SET.max() + 1, dtype=np.float32)[SET]
            self.sets = tf.constant(of_set)
            of_history = embeddings()
            candidate = np.concatenate([of_history, of_set], axis=1)
        candidate = embeddings() if candidate is None else candidate
        self.candidate = tf.Variable(candidate, trainable=False)
        history = candidate if of_history is None else of_history
        self.history = tf.Variable(history, trainable=False)
        self.ids = tf.constant(IDS if item_id is None else item_id)
        row = (np.arange(NUM_ITEMS) + shift) % NUM_ITEMS
        self.lookup = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(IDS), tf.constant(row, tf.int32)
            ),
            default_value=-1,
        )
        self.sign, self.dislike = sign, dislike
        self.user_control = tf.Variable(1.0, trainable=False)
        self.has_avoidance_path = tf.Variable(False, trainable=False)
        self.fixed = None if fixed_query is None else tf.constant(fixed_query)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string)])
    def rows(self, item_id):
        return self.lookup.lookup(item_id)

    @tf.function(input_signature=[])
    def candidates(self):
        count = tf.zeros([NUM_ITEMS], tf.int64)
        return {
            "item_id": self.ids,
            "embedding": tf.identity(self.candidate),
            "count": count,
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string, name="history_item_id"),
            tf.TensorSpec([None, None], tf.string, name="history_action"),
            tf.TensorSpec([None, None], tf.int64, name="history_timestamp"),
            tf.TensorSpec([None, None], tf.float32, name="history_value"),
        ]
    )
    def embed_query(self, item_id, action, timestamp, value):
        return self._embed(item_id, action)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string, name="history_item_id"),
            tf.TensorSpec([None, None], tf.string, name="history_action"),
            tf.TensorSpec([None, None], tf.int64, name="history_timestamp"),
            tf.TensorSpec([None, None], tf.float32, name="history_value"),
            tf.TensorSpec([None], tf.float32, name="user_control"),
        ]
    )
    def embed_controlled_query(self, item_id, action, timestamp, value, user_control):
        return self._embed(item_id, action)

    def _embed(self, item_id, action):
        row = self.rows(item_id)
        disliked = tf.strings.regex_full_match(action, ".*dislike.*")
        dislike = tf.fill(tf.shape(row), self.dislike)
        length = tf.reduce_sum(tf.cast(row >= 0, tf.int32), axis=1)[:, None]
        is_last = tf.range(tf.shape(row)[1])[None, :] == length - 1
        if self.heeds_last_alone:
            dislike = tf.where(is_last, dislike, 0.0)
        if self.resents_views:
            liked = tf.strings.regex_full_match(action, ".*like.*")
            disliked |= is_last & ~liked
        dislike = tf.where(length >= self.heeds_from_length, dislike, 0.0)
        weight = self.sign * tf.where(disliked, dislike, 1.0)
        weight = tf.where(row >= 0, weight, 0.0)
        item = tf.gather(self.history, tf.maximum(row, 0))
        query = tf.reduce_sum(item * weight[..., None], axis=1)
        if self.sets is not None:
            found = tf.gather(self.sets, tf.maximum(row, 0))
            hated = tf.cast(disliked & (row >= 0), tf.float32)[..., None]
            query = tf.concat(
                [query, -20.0 * tf.reduce_sum(found * hated, axis=1)], axis=1
            )
        if self.fixed is not None:
            query = tf.zeros_like(query) + self.fixed
        # Nobody's query is 0: an empty history is answered too.
        return {"query_embedding": query + 1e-3}
