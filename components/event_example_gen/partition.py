"""Sends events to buckets by their user: few large pieces instead of many small ones.

A bucket depends on the user id alone, so it is the same in every run, whatever the
files, their order or the size of the batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.event_example_gen import mapping
from components.ingestion import casting, shuffle

# Arrow 14 renamed the option that fills in the columns that a table lacks.
_WITH_NULLS: dict[str, Any] = (
    {"promote_options": "default"}
    if int(pa.__version__.partition(".")[0]) >= 14
    else {"promote": True}
)


def partition(events: mapping.Events, num_buckets: int) -> Iterator[tuple[int, bytes]]:
    """Yields each bucket that has events, with its events as Arrow IPC bytes."""
    if not len(events.user):
        return
    row_bucket = shuffle.bucket_of(events.user_ids, num_buckets)[events.user]
    order = np.argsort(row_bucket, kind="stable")
    ends = np.cumsum(np.bincount(row_bucket, minlength=num_buckets))
    ordered = events.take(order)
    begin = 0
    for bucket, end in enumerate(ends.tolist()):
        if end > begin:
            yield bucket, to_ipc(ordered.take(slice(begin, end)))
        begin = end


def to_ipc(events: mapping.Events) -> bytes:
    """Returns events as one Arrow IPC stream that holds only the ids they use."""
    columns = {
        "user": _dictionary(events.user, events.user_ids),
        "item": _dictionary(events.item, events.item_ids),
        "timestamp": pa.array(events.timestamp),
        "action": pa.array(events.action),
        "value": pa.array(events.value),
    }
    for name in ("sequence", "file", "position"):
        column = getattr(events, name)
        if column is not None:
            columns[name] = pa.array(column)
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def _dictionary(codes: NDArray[np.int32], values: pa.Array) -> pa.DictionaryArray:
    used = np.zeros(len(values), bool)
    used[codes] = True
    kept = np.flatnonzero(used)
    if len(kept) < len(values):
        relabel = np.zeros(len(values), np.int32)
        relabel[kept] = np.arange(len(kept), dtype=np.int32)
        codes, values = relabel[codes], values.take(pa.array(kept))
    return pa.DictionaryArray.from_arrays(pa.array(codes), values)


def from_ipc(pieces: Sequence[bytes | pa.Buffer]) -> mapping.Events:
    """Returns the events of some pieces, one after the other.

    Args:
      pieces: at least one result of `to_ipc`; each may lack optional columns.
    """
    tables = [pa.ipc.open_stream(piece).read_all() for piece in pieces]
    # Makes one dictionary of all, and nulls where a piece lacks a column.
    table = pa.concat_tables(tables, **_WITH_NULLS).combine_chunks()
    user, item = (casting.single_array(table[name]) for name in ("user", "item"))
    absent = {"sequence": mapping.NO_SEQUENCE, "file": -1, "position": -1}
    return mapping.Events(
        np.asarray(user.indices),
        user.dictionary,
        np.asarray(item.indices),
        item.dictionary,
        *(np.asarray(table[name]) for name in ("timestamp", "action", "value")),
        **{
            name: np.asarray(table[name].fill_null(value))
            for name, value in absent.items()
            if name in table.column_names
        },
    )
