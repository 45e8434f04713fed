"""Towers whose query is plain to see: the sum of the liked minus the disliked items."""

import numpy as np
import tensorflow as tf


class Towers(tf.Module):
    """What `signatures.Towers` offers an endpoint, over embeddings given by hand."""

    def __init__(self, item_ids, embedding):
        super().__init__()
        self.array = np.asarray(embedding, np.float32)
        self._item_id = tf.constant([i.encode() for i in item_ids])
        self._embedding = tf.constant(self.array)
        self._lookup = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                self._item_id, tf.range(len(item_ids), dtype=tf.int32)
            ),
            default_value=-1,
        )

    def rows(self, item_id):
        return self._lookup.lookup(item_id)

    def embed_query(self, item_id, action, timestamp, value):
        once = tf.ones([tf.shape(item_id)[0]])
        return self.embed_controlled_query(item_id, action, timestamp, value, once)

    def embed_controlled_query(self, item_id, action, timestamp, value, user_control):
        """A dislike takes the item away so many times; NaN: once."""
        row = self.rows(item_id)
        times = tf.where(tf.math.is_nan(user_control), 1.0, user_control)[:, None]
        sign = tf.where(action == "dislike", -times, 1.0)
        weight = tf.where(row >= 0, sign, 0.0)
        item = tf.gather(self._embedding, tf.maximum(row, 0))
        return {"query_embedding": tf.reduce_sum(item * weight[..., None], axis=1)}

    def candidates(self):
        return {"item_id": self._item_id, "embedding": self._embedding}
