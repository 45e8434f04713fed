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
from components.ingestion import shuffle


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
    batches = [pa.ipc.open_stream(piece).read_next_batch() for piece in pieces]
    user, user_ids = _merged([batch["user"] for batch in batches])
    item, item_ids = _merged([batch["item"] for batch in batches])

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([np.asarray(batch[name]) for batch in batches])

    def optional(name: str, absent: int) -> NDArray[np.int64] | None:
        if not any(name in batch.schema.names for batch in batches):
            return None
        columns: list[NDArray[np.int64]] = [
            np.asarray(batch[name])
            if name in batch.schema.names
            else np.full(batch.num_rows, absent, np.int64)
            for batch in batches
        ]
        return np.concatenate(columns)

    return mapping.Events(
        user,
        user_ids,
        item,
        item_ids,
        column("timestamp"),
        column("action"),
        column("value"),
        optional("sequence", mapping.NO_SEQUENCE),
        optional("file", -1),
        optional("position", -1),
    )


def _merged(arrays: list[pa.DictionaryArray]) -> tuple[NDArray[np.int32], pa.Array]:
    """Returns codes into one dictionary that holds each value once."""
    joined = pa.concat_arrays([array.dictionary for array in arrays])
    encoded = joined.dictionary_encode()
    relabel = np.asarray(encoded.indices)
    codes = np.empty(sum(map(len, arrays)), np.int32)
    row = entry = 0
    for array in arrays:
        codes[row : row + len(array)] = relabel[entry + np.asarray(array.indices)]
        row += len(array)
        entry += len(array.dictionary)
    return codes, encoded.dictionary
