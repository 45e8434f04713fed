"""`predictions.parquet`: what was served to each target, for others to recompute."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.evaluation import targets
from schema import files


def of_lists(
    table: targets.TargetTable, top: NDArray[np.int32], hash_user_ids: bool = False
) -> pa.Table:
    """Returns one row a target.

    Args:
      table: the targets.
      top: [num_targets, at least `targets.LIST_LENGTH`] items, -1 pads.
      hash_user_ids: whether `user_id` is `hashed` instead.

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
            "user_id": _hashed(table.user_id)
            if hash_user_ids
            else _text(table.user_id),
            "target_item_id": _text(table.item_id),
            "target_polarity": pa.array(table.polarity.tolist(), pa.string()),
            "top_item_ids": lists,
        }
    )


def hashed(user_id: bytes) -> str:
    """Returns 32 hexadecimal digits of BLAKE2b that stand for a user.

    The same user has the same digits in every run, so that files can be joined. Who has
    the ids can make the digits too: it hides them from readers of the file alone.

    Example:
      >>> hashed(b"u1") == hashed(b"u1"), len(hashed(b"u1"))
      (True, 32)
    """
    return hashlib.blake2b(user_id, digest_size=16, person=b"heed user").hexdigest()


def _hashed(user_id: NDArray[np.object_]) -> pa.Array:
    return pa.array([hashed(user) for user in user_id.tolist()], pa.string())


def _text(names: NDArray[np.object_]) -> pa.Array:
    return pa.array(names.tolist(), pa.binary()).cast(pa.string())


def write(path: str, predictions: pa.Table) -> None:
    """Writes the file aside, for its owner alone, then renames it."""
    buffer = io.BytesIO()
    pq.write_table(predictions, buffer)
    files.write_atomically(path, buffer.getvalue(), mode=0o600)
