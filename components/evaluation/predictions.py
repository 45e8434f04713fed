"""`predictions.parquet`: what was served to each target, for others to recompute."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.evaluation import targets
from schema import files


def of_lists(table: targets.TargetTable, top: NDArray[np.int32]) -> pa.Table:
    """Returns one row a target.

    Args:
      table: the targets.
      top: [num_targets, at least `targets.LIST_LENGTH`] items, -1 pads.

    Returns:
      `user_id`, `target_item_id`, `target_polarity` and `top_item_ids` (those that
      were served, in their order).
    """
    first = top[:, : targets.LIST_LENGTH]
    served = first >= 0
    ends = np.concatenate([[0], np.cumsum(served.sum(axis=1))])
    names = _text(table.index.item_id)
    lists = pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()), names.take(pa.array(first[served]))
    )
    return pa.table(
        {
            "user_id": _text(table.user_id),
            "target_item_id": _text(table.item_id),
            "target_polarity": pa.array(table.polarity.tolist(), pa.string()),
            "top_item_ids": lists,
        }
    )


def _text(names: NDArray[np.object_]) -> pa.Array:
    return pa.array(names.tolist(), pa.binary()).cast(pa.string())


def write(path: str, predictions: pa.Table) -> None:
    """Writes the file aside, then renames it."""
    buffer = io.BytesIO()
    pq.write_table(predictions, buffer)
    files.write_atomically(path, buffer.getvalue())
