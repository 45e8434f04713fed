"""Encodes items as serialised tf.Examples."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.ingestion import casting, wire


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
            wire.texts(values).take_all()
            if is_text
            else wire.varints(np.asarray(values))
        )
        lengths = np.asarray(lists.value_lengths()).astype(np.int64)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        kind = wire.BYTES if is_text else wire.INT64
        slices = payload.slices(ends[:-1], ends[1:])
        columns.append([wire.entry(name, kind, part) for part in slices])
    return [wire.example(entries) for entries in zip(*columns, strict=True)]
