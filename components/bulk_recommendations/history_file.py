"""The histories of a shard's users as Arrow: a file that executes nothing when read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.event_example_gen import interactions
from components.ingestion import casting


def to_ipc(history: interactions.Interactions) -> bytes:
    """Returns histories as one Arrow IPC stream, an interaction a row."""
    num_users = len(history.user_ids)
    user = np.repeat(np.arange(num_users, dtype=np.int32), np.diff(history.user_begin))
    columns = {
        "user": pa.DictionaryArray.from_arrays(pa.array(user), history.user_ids),
        "item": pa.DictionaryArray.from_arrays(
            pa.array(history.item), history.item_ids
        ),
        "timestamp": pa.array(history.timestamp),
        "actions": pa.array(history.actions),
        "value": pa.array(history.value),
    }
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def from_ipc(content: bytes) -> interactions.Interactions:
    """Returns the histories that `to_ipc` wrote."""
    table = pa.ipc.open_stream(content).read_all()
    user, item, timestamp, actions, value = map(casting.single_array, table.columns)
    per_user = np.bincount(np.asarray(user.indices), minlength=len(user.dictionary))
    return interactions.Interactions(
        user.dictionary,
        np.append(0, np.cumsum(per_user)),
        np.asarray(item.indices),
        item.dictionary,
        *(np.asarray(column) for column in (timestamp, actions, value)),
    )
