"""Preprocessing of catalogue examples: strings become indices of vocabularies."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from schema import features


def _index_from_one(strings: tf.SparseTensor, vocabulary: str) -> tf.SparseTensor:
    """Returns vocabulary indices counted from 1; 0 is left for missing or unknown."""
    index = tft.compute_and_apply_vocabulary(
        strings, default_value=-1, vocab_filename=vocabulary
    )
    return tf.SparseTensor(index.indices, index.values + 1, index.dense_shape)


def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns the transformed features of catalogue examples.

    Args:
      inputs: raw features of `schema/catalog_schema.pbtxt`.

    Returns:
      `item_id` string [batch]; `creator_index` and `category_index` int64 sparse
      [batch, values].
    """
    return {
        features.ITEM_ID: inputs[features.ITEM_ID],
        features.CREATOR_INDEX: _index_from_one(
            inputs[features.CREATOR_ID], features.CREATOR_VOCABULARY
        ),
        features.CATEGORY_INDEX: _index_from_one(
            inputs[features.CATEGORIES], features.CATEGORY_VOCABULARY
        ),
    }
