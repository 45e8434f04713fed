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

from schema import errors, features

CANDIDATE_ROW = "candidate_row"
"""[batch, length] int32 row of each element in the candidate table; -1: unknown."""
IS_ELEMENT = "is_element"
"""[batch, length] bool; False pads."""
_SEQUENCE_FEATURES = (
    features.ACTION_SET,
    features.VALUE,
    features.VALUE_PRESENT,
    features.LOG_GAP,
    features.KEPT_LOG_GAP,
    features.IS_LABEL,
)
_SHUFFLE_WINDOWS = 20_000
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
    length: int | None = None,
) -> dict[str, tf.Tensor]:
    """Returns the dense batch that `TwoTowerModel` takes.

    Args:
      transformed: sparse [batch, length] features of Transform; `is_label` optional.
      lookup: item id to candidate row.
      length: columns of the result; default: those of the sparse tensors.
    """

    def dense(sparse: tf.SparseTensor, default: object) -> tf.Tensor:
        shape = None
        if length is not None:
            # Cutting here would lose labels: they were made with another setting.
            is_short = tf.debugging.assert_less_equal(
                sparse.dense_shape[1],
                tf.constant(length, tf.int64),
                _TOO_LONG.format(length),
            )
            with tf.control_dependencies([is_short] if is_short is not None else []):
                indices = tf.identity(sparse.indices)
            shape = (sparse.dense_shape[0], length)
            sparse = tf.SparseTensor(
                indices, sparse.values, tf.cast(tf.stack(shape), tf.int64)
            )
        return tf.sparse.to_dense(sparse, default_value=default)

    item_id = dense(transformed[features.ITEM_ID], "")
    batch = {
        name: dense(transformed[name], 0)
        for name in _SEQUENCE_FEATURES
        if name in transformed
    }
    batch[features.VALUE_PRESENT] = tf.cast(batch[features.VALUE_PRESENT], tf.float32)
    batch[CANDIDATE_ROW] = lookup.lookup(item_id)
    batch[IS_ELEMENT] = item_id != ""
    return batch


def _records(files: Sequence[str]) -> tf.data.Dataset:
    size_bytes = sum(tf.io.gfile.stat(name).length for name in files)
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    return records.cache() if size_bytes <= _CACHE_LIMIT_BYTES else records


def _batches(
    records: tf.data.Dataset,
    spec: dict[str, Any],
    lookup: tf.lookup.StaticHashTable,
    batch_size: int,
    max_length: int,
    part: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    place, num_parts = part

    # Without AutoGraph: with TFX's thousands of modules loaded, its search through each
    # function called takes longer than an epoch on a small log.
    @tf.autograph.experimental.do_not_convert
    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(serialized[place::num_parts], spec)
        return model_inputs(parsed, lookup, length=max_length)

    return records.batch(batch_size).map(
        parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def windows(
    files: Sequence[str],
    transform_output: tft.TFTransformOutput,
    lookup: tf.lookup.StaticHashTable,
    batch_size: int,
    max_length: int,
) -> tf.data.Dataset:
    """Returns batches of windows in file order.

    Args:
      files: gzip TFRecords of transformed examples; may be empty of records.
      transform_output: gives the feature spec.
      lookup: item id to candidate row.
      batch_size: windows a batch; the last may be smaller.
      max_length: columns of every batch.
    """
    spec = transform_output.transformed_feature_spec()
    return _batches(_records(files), spec, lookup, batch_size, max_length).prefetch(
        tf.data.AUTOTUNE
    )


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

    The order within an epoch depends on the seed and the epoch's number alone, so that
    a training that goes on after epoch 3 sees what an undisturbed one would have.

    Args:
      files: gzip TFRecords of transformed examples.
      transform_output: gives the feature spec.
      lookup: item id to candidate row.
      batch_size: windows a batch; the last of an epoch may be smaller.
      max_length: columns of every batch.
      seed: of the shuffling.
      part: (worker, number of workers) that share each batch; a part may be empty.

    Returns:
      num_batches: steps of one epoch.
      dataset_from: epoch (from 0) to the endless dataset that starts there.
    """
    records = _records(files)
    spec = transform_output.transformed_feature_spec()
    add_one = tf.autograph.experimental.do_not_convert(lambda count, _: count + 1)
    num_windows = int(records.reduce(np.int64(0), add_one))

    @tf.autograph.experimental.do_not_convert
    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        shuffled = records.shuffle(
            _SHUFFLE_WINDOWS, seed=seed + epoch, reshuffle_each_iteration=False
        )
        return _batches(shuffled, spec, lookup, batch_size, max_length, part)

    def dataset_from(epoch: int) -> tf.data.Dataset:
        counter = tf.data.Dataset.counter(start=epoch)
        return counter.flat_map(one_epoch).prefetch(tf.data.AUTOTUNE)

    return -(-num_windows // batch_size), dataset_from
