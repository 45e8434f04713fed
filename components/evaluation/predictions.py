"""`predictions.parquet`: what was served to each target, for others to recompute."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from components.evaluation import item_index, report


def write(
    table: report.TargetTable,
    top: np.ndarray,
    index: item_index.ItemIndex,
    path: str,
) -> None:
    """Writes one row a target.

    Args:
      table: the targets.
      top: [num_targets, at least `report.LIST_LENGTH`] int32 items, -1 pads.
      index: numbers of the items.
      path: of the file; written aside, then renamed.
    """
    first = top[:, : report.LIST_LENGTH]
    served = first >= 0
    ends = np.concatenate([[0], np.cumsum(served.sum(axis=1))])
    names = pa.array(index.item_id.tolist(), pa.binary()).cast(pa.string())
    lists = pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()), names.take(pa.array(first[served]))
    )
    columns = pa.table(
        {
            "user_id": pa.array(table.user_id.tolist(), pa.binary()).cast(pa.string()),
            "target_item_id": pa.array(table.item_id.tolist(), pa.binary()).cast(
                pa.string()
            ),
            "target_polarity": pa.array(table.polarity.tolist(), pa.string()),
            "top_item_ids": lists,
        }
    )
    # Arrow closes what it writes to, which a GFile does not survive.
    buffer = io.BytesIO()
    pq.write_table(columns, pa.PythonFile(buffer))
    with tf.io.gfile.GFile(path + ".part", "wb") as file:
        file.write(buffer.getvalue())
    tf.io.gfile.rename(path + ".part", path, overwrite=True)
