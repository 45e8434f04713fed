"""Encodes items as serialised tf.Examples."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.ingestion import casting, tf_example


def encode_items(table: pa.Table) -> list[bytes]:
    """Returns one serialised tf.Example per item, equal items in equal bytes.

    Args:
      table: canonical items (`mapping.SCHEMA`): every column is a list.
    """
    columns = []
    for name in sorted(table.column_names):
        lists = casting.single_array(table[name])
        values = lists.flatten()
        is_text = pa.types.is_binary(values.type)
        payload = (
            tf_example.texts(values)
            if is_text
            else tf_example.varints(np.asarray(values))
        )
        lengths = np.asarray(lists.value_lengths()).astype(np.int64)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        kind = tf_example.BYTES if is_text else tf_example.INT64
        slices = payload.slices(ends[:-1], ends[1:])
        columns.append([tf_example.entry(name, kind, part) for part in slices])
    return [tf_example.example(entries) for entries in zip(*columns, strict=True)]
