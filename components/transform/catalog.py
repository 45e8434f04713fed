"""Preprocessing of catalogue examples: strings become indices of vocabularies."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from components.transform import vocabularies
from schema import features

_INDICES = {
    features.CREATOR_INDEX: (features.CREATOR_ID, features.CREATOR_VOCABULARY),
    features.CATEGORY_INDEX: (features.CATEGORIES, features.CATEGORY_VOCABULARY),
    features.ATTRIBUTE_INDEX: (features.ATTRIBUTES, features.ATTRIBUTE_VOCABULARY),
}
"""Transformed feature to the raw one, and the file of its vocabulary."""


def _index_from_one(strings: tf.SparseTensor, vocabulary: tf.Tensor) -> tf.SparseTensor:
    """Returns vocabulary indices counted from 1; 0 is left for missing or unknown."""
    index = tft.apply_vocabulary(strings, vocabulary, default_value=-1)
    return tf.SparseTensor(index.indices, index.values + 1, index.dense_shape)


_NO_WORD = r"[^\pL\pN]+"
_NUM_HASHES = 2**31


def title_tokens(title: tf.SparseTensor) -> tf.SparseTensor:
    """Returns the hash of each word of a title, in lower case and without marks.

    A hash needs no vocabulary: a word means the same to every model and every
    catalogue, new items included.
    """
    # At most one title an item, and no column at all where none has one.
    whole = tf.strings.reduce_join(tf.sparse.to_dense(title, ""), axis=1)
    plain = tf.strings.regex_replace(
        tf.strings.lower(whole, encoding="utf-8"), _NO_WORD, " "
    )
    words = tf.strings.split(tf.strings.strip(plain)).to_sparse()
    hashed = tf.strings.to_hash_bucket_fast(words.values, _NUM_HASHES)
    return tf.SparseTensor(words.indices, hashed, words.dense_shape)


def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns the transformed features of catalogue examples.

    Args:
      inputs: raw features of `schema/catalog_schema.pbtxt`.

    Returns:
      `item_id` string [batch]; `creator_index`, `category_index`, `attribute_index`
      and `title_token` int64 sparse [batch, values].
    """
    found = vocabularies.analyze(
        [inputs[raw].values for raw, _ in _INDICES.values()],
        [
            vocabularies.VocabularyFile(name, column)
            for column, (_, name) in enumerate(_INDICES.values())
        ],
    )
    indices = {
        index: _index_from_one(inputs[raw], vocabulary)
        for (index, (raw, _)), vocabulary in zip(_INDICES.items(), found, strict=True)
    }
    return {
        features.ITEM_ID: inputs[features.ITEM_ID],
        **indices,
        features.TITLE_TOKEN: title_tokens(inputs[features.TITLE]),
    }
