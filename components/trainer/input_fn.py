"""Reads transformed examples into batches."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from numpy.typing import NDArray

from components.trainer import length_buckets
from schema import errors, features

CANDIDATE_ROW = "candidate_row"
"""[batch, length] int32 row of each element in the candidate table; -1: unknown."""
IS_ELEMENT = "is_element"
"""[batch, length] bool; False pads."""
SEQUENCE_FEATURES = (
    features.ACTION_SET,
    features.VALUE,
    features.VALUE_PRESENT,
    features.LOG_GAP,
    features.KEPT_LOG_GAP,
    features.IS_LABEL,
)
"""What stands beside each item id, by the transformed examples' names."""
_SHUFFLE_WINDOWS = 20_000
_RECORDS_AT_ONCE = 1_000
_TOO_LONG = (
    "an example holds more than `history.max_length` = {} elements: "
    "run again from ingestion with this setting"
)
# Up to this much compressed input is kept decoded in memory between epochs.
_CACHE_LIMIT_BYTES = 256 * 2**20


def row_lookup(item_ids: NDArray[np.object_]) -> tf.lookup.StaticHashTable:
    """Returns the table from item id to candidate row; -1: unknown."""
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(item_ids.tolist(), tf.string),
            tf.range(len(item_ids), dtype=tf.int32),
        ),
        default_value=-1,
    )


@contextlib.contextmanager
def long_windows_are_bad_input() -> Iterator[None]:
    """Turns what the graph says of a window that is too long into an InputError."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(_TOO_LONG.format("[0-9]+"), str(error))
        if found is None:
            raise
        raise errors.InputError(found[0]) from error


def model_inputs(
    transformed: dict[str, tf.SparseTensor],
    lookup: tf.lookup.StaticHashTable,
    length: tf.Tensor | None = None,
) -> dict[str, tf.Tensor]:
    """Returns the dense batch that `TwoTowerModel` takes.

    Args:
      transformed: sparse [batch, length] features of Transform; `is_label` optional.
      lookup: item id to candidate row.
      length: [] int64, columns of the result, none fewer than the sparse tensors
        have; default: as many.
    """

    def dense(sparse: tf.SparseTensor, default: object) -> tf.Tensor:
        if length is not None:
            shape = tf.stack([sparse.dense_shape[0], length])
            sparse = tf.SparseTensor(sparse.indices, sparse.values, shape)
        return tf.sparse.to_dense(sparse, default_value=default)

    item_id = dense(transformed[features.ITEM_ID], "")
    batch = {
        name: dense(transformed[name], 0)
        for name in SEQUENCE_FEATURES
        if name in transformed
    }
    batch[features.VALUE_PRESENT] = tf.cast(batch[features.VALUE_PRESENT], tf.float32)
    batch[CANDIDATE_ROW] = lookup.lookup(item_id)
    batch[IS_ELEMENT] = item_id != ""
    return batch


class _Records:
    """Serialized windows with their lengths, a thousand at once."""

    def __init__(self, files: Sequence[str], spec: dict[str, Any], max_length: int):
        size_bytes = sum(tf.io.gfile.stat(name).length for name in files)

        # Without AutoGraph: with TFX's thousands of modules loaded, its search through
        # each function called takes longer than an epoch on a small log.
        @tf.autograph.experimental.do_not_convert
        def with_length(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return serialized, _lengths(serialized, spec, max_length)

        read = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
        measured = read.batch(_RECORDS_AT_ONCE).map(
            with_length, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        if size_bytes <= _CACHE_LIMIT_BYTES:
            measured = measured.cache()
        self._measured = measured
        self._max_length = max_length

    def one_by_one(self) -> tf.data.Dataset:
        """Returns (serialized, length) of each window, in file order."""
        return self._measured.unbatch()

    def num_of_length(self) -> NDArray[np.int64]:
        """Returns how many windows have 0, ..., `max_length` elements."""
        total = np.zeros(self._max_length + 1, np.int64)
        for _, length in self._measured:
            total += np.bincount(length, minlength=len(total))
        return total


def _lengths(serialized: tf.Tensor, spec: dict[str, Any], max_length: int) -> tf.Tensor:
    """Returns [n] int64 elements of serialized windows, which the graph checks."""
    only = {features.ITEM_ID: spec[features.ITEM_ID]}
    item_id = tf.io.parse_example(serialized, only)[features.ITEM_ID]
    length = tf.RaggedTensor.from_sparse(item_id).row_lengths()
    # Cutting here would lose labels: they were made with another setting.
    limit = tf.constant(max_length, tf.int64)
    fits = tf.debugging.assert_less_equal(length, limit, _TOO_LONG.format(max_length))
    with tf.control_dependencies([fits]):
        return tf.identity(length)


def _parsed(
    batches: tf.data.Dataset,
    spec: dict[str, Any],
    lookup: tf.lookup.StaticHashTable,
    part: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Returns what the model takes of batches of (serialized, length)."""
    place, num_parts = part

    @tf.autograph.experimental.do_not_convert
    def parse(serialized: tf.Tensor, length: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(serialized[place::num_parts], spec)
        # Of the whole batch: a part may be empty.
        return model_inputs(parsed, lookup, tf.reduce_max(length))

    return batches.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def windows(
    files: Sequence[str],
    transform_output: tft.TFTransformOutput,
    lookup: tf.lookup.StaticHashTable,
    batch_size: int,
    max_length: int,
) -> tf.data.Dataset:
    """Returns batches of windows in file order, as wide as the longest of each.

    Args:
      files: gzip TFRecords of transformed examples; may be empty of records.
      transform_output: gives the feature spec.
      lookup: item id to candidate row.
      batch_size: windows a batch; the last may be smaller.
      max_length: most elements of a window; longer ones are refused.
    """
    spec = transform_output.transformed_feature_spec()
    batches = _Records(files, spec, max_length).one_by_one().batch(batch_size)
    return _parsed(batches, spec, lookup).prefetch(tf.data.AUTOTUNE)


def epochs(
    files: Sequence[str],
    transform_output: tft.TFTransformOutput,
    lookup: tf.lookup.StaticHashTable,
    batch_size: int,
    max_length: int,
    seed: int,
    part: tuple[int, int] = (0, 1),
) -> tuple[int, Callable[[int], tf.data.Dataset]]:
    """Returns the batches of one epoch, and all epochs from a given one on.

    The windows of a batch are of like length, and it is as wide as the longest. The
    order within an epoch depends on the seed and the epoch's number alone, so that a
    training that goes on after epoch 3 sees what an undisturbed one would have.

    Args:
      files: gzip TFRecords of transformed examples.
      transform_output: gives the feature spec.
      lookup: item id to candidate row.
      batch_size: windows a batch, where they are long; see `length_buckets`.
      max_length: most elements of a window; longer ones are refused.
      seed: of the shuffling.
      part: (worker, number of workers) that share each batch; a part may be empty.

    Returns:
      num_batches: steps of one epoch.
      dataset_from: epoch (from 0) to the endless dataset that starts there.
    """
    spec = transform_output.transformed_feature_spec()
    records = _Records(files, spec, max_length)
    buckets = length_buckets.divide(records.num_of_length(), batch_size, max_length)

    @tf.autograph.experimental.do_not_convert
    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        shuffled = records.one_by_one().shuffle(
            _SHUFFLE_WINDOWS, seed=seed + epoch, reshuffle_each_iteration=False
        )
        batches = shuffled.bucket_by_sequence_length(
            lambda _, length: tf.cast(length, tf.int32),
            [longest + 1 for longest in buckets.longest[:-1]],
            list(buckets.batch_size),
            no_padding=True,
        )
        return _parsed(batches, spec, lookup, part)

    def dataset_from(epoch: int) -> tf.data.Dataset:
        counter = tf.data.Dataset.counter(start=epoch)
        return counter.flat_map(one_epoch).prefetch(tf.data.AUTOTUNE)

    return buckets.num_batches, dataset_from
