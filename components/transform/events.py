"""Preprocessing of event examples; the same graph runs in training and serving."""

from __future__ import annotations

import re
from typing import Any

import tensorflow as tf

from components.transform import vocabularies
from schema import features, settings

MS_PER_MINUTE = 60_000.0


def action_set(actions: tf.Tensor, names: tuple[str, ...]) -> tf.Tensor:
    """Returns the bit mask of each joined action string.

    Args:
      actions: [n] string, action names joined with `|`; unknown names are ignored.
      names: action names in the order of their bits.

    Returns:
      [n] int64.
    """
    # A log holds few distinct sets: match each once and gather.
    distinct, position = tf.unique(actions)
    mask = tf.zeros_like(distinct, dtype=tf.int64)
    for bit, name in enumerate(names):
        pattern = rf"(?:.*\|)?{re.escape(name)}(?:\|.*)?"
        found = tf.strings.regex_full_match(distinct, pattern)
        mask += tf.cast(found, tf.int64) * (1 << bit)
    return tf.gather(mask, position)


def log_gap(
    timestamp_ms: tf.Tensor, row: tf.Tensor, is_kept: tf.Tensor | None = None
) -> tf.Tensor:
    """Returns log(1 + minutes since the last kept element before) within each row.

    Args:
      timestamp_ms: [n] int64, elements of all rows one after the other, ordered.
      row: [n] int64, the row of each element.
      is_kept: [n] bool, the elements that a gap may start from; None: all of them.

    Returns:
      [n] float32; 0 where no kept element of the row comes before.
    """
    place = tf.range(tf.size(row))
    kept = place if is_kept is None else tf.boolean_mask(place, is_kept)
    num_kept_before = tf.searchsorted(kept, place, side="left")
    # The element itself stands in where there is none before: a gap of 0.
    last = tf.gather(tf.concat([[0], kept], axis=0), num_kept_before)
    has_last = (num_kept_before > 0) & tf.equal(tf.gather(row, last), row)
    last = tf.where(has_last, last, place)
    gap_ms = tf.maximum(timestamp_ms - tf.gather(timestamp_ms, last), 0)
    return tf.math.log1p(tf.cast(gap_ms, tf.float32) / MS_PER_MINUTE)


def preprocessing_fn(
    inputs: dict[str, tf.SparseTensor], custom_config: dict[str, Any]
) -> dict[str, tf.SparseTensor]:
    """Returns the transformed features of event examples.

    Item counts come from labels of the analysed (train) split alone: context
    elements of a later window would otherwise be counted twice.

    Args:
      inputs: raw features of `schema/events_schema.pbtxt`.
      custom_config: `feedback`, the section as canonical JSON.

    Returns:
      `item_id`, `action_set`, `value`, `value_present`, `log_gap`, `kept_log_gap`,
      `is_label`, all sparse [batch, length] with the indices of `item_id`; `user_id`
      [batch] string, which no tower reads: it joins the windows of a user.
    """
    policy = settings.FeedbackSettings.from_json(custom_config["feedback"])
    item_id = inputs[features.ITEM_ID]
    is_label = inputs[features.IS_LABEL]

    labels = tf.boolean_mask(item_id.values, tf.equal(is_label.values, 1))
    vocabularies.analyze(
        [labels],
        [
            vocabularies.VocabularyFile(features.ITEM_VOCABULARY, 0),
            vocabularies.VocabularyFile(features.ITEM_COUNTS, 0, with_counts=True),
        ],
    )

    def aligned(values: tf.Tensor) -> tf.SparseTensor:
        return tf.SparseTensor(item_id.indices, values, item_id.dense_shape)

    actions = action_set(inputs[features.ACTION].values, policy.names())
    negative_bits = sum(
        1 << bit
        for bit, name in enumerate(policy.names())
        if name in policy.negative_names()
    )
    is_negative = tf.bitwise.bitwise_and(actions, negative_bits) != 0
    timestamp_ms, row = inputs[features.TIMESTAMP].values, item_id.indices[:, 0]
    return {
        features.USER_ID: tf.identity(inputs[features.USER_ID]),
        features.ITEM_ID: item_id,
        features.ACTION_SET: aligned(actions),
        features.VALUE: inputs[features.VALUE],
        features.VALUE_PRESENT: inputs[features.VALUE_PRESENT],
        features.LOG_GAP: aligned(log_gap(timestamp_ms, row)),
        features.KEPT_LOG_GAP: aligned(log_gap(timestamp_ms, row, ~is_negative)),
        features.IS_LABEL: is_label,
    }
