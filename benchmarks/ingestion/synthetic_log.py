"""Writes a synthetic event log: Zipf items, and a few users of very many events."""

from __future__ import annotations

import pathlib

import numpy as np
import pyarrow as pa
from pyarrow import parquet

ACTIONS = ("view", "like", "skip", "dislike")
ACTION_SHARES = (0.6, 0.15, 0.22, 0.03)
HOT_USERS = 3
HOT_USER_EVENTS = 100_000
EVENTS_PER_USER = 100
_START_MS = 1_700_000_000_000
_SPAN_MS = 60 * 86_400_000
_ROWS_PER_GROUP = 1_000_000


def write_log(
    folder: pathlib.Path,
    num_events: int,
    num_items: int = 100_000,
    num_files: int = 4,
    seed: int = 1,
) -> list[pathlib.Path]:
    """Writes Parquet files in no particular order of users or time.

    Args:
      folder: made if absent; files of the same name are replaced.
      num_events: rows over all files.
      num_items: catalogue size; popularity falls with rank to the power 1.1.
      num_files: number of files of about equal size.
      seed: of the generator.

    Returns:
      The paths of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    num_users = max(1, num_events // EVENTS_PER_USER)
    popularity = np.cumsum(1.0 / np.arange(1, num_items + 1) ** 1.1)
    popularity /= popularity[-1]
    paths = []
    hot_left = min(HOT_USERS * HOT_USER_EVENTS, num_events // 4)
    for number in range(num_files):
        rows = num_events // num_files + (number < num_events % num_files)
        hot = hot_left // num_files
        user = rng.integers(HOT_USERS, num_users + HOT_USERS, rows)
        user[rng.choice(rows, hot, replace=False)] = rng.integers(0, HOT_USERS, hot)
        item = np.searchsorted(popularity, rng.random(rows))
        value = rng.random(rows)
        table = pa.table(
            {
                "user_id": _prefixed("u", user),
                "item_id": _prefixed("item_", item),
                "timestamp": pa.array(_START_MS + rng.integers(0, _SPAN_MS, rows)),
                "action": pa.array(ACTIONS).take(
                    pa.array(rng.choice(len(ACTIONS), rows, p=ACTION_SHARES))
                ),
                "value": pa.array(value, mask=value < 0.2),
            }
        )
        path = folder / f"events-{number:03d}.parquet"
        parquet.write_table(table, path, row_group_size=_ROWS_PER_GROUP)
        paths.append(path)
    return paths


def _prefixed(prefix: str, numbers: np.ndarray) -> pa.Array:
    distinct, codes = np.unique(numbers, return_inverse=True)
    names = pa.array([f"{prefix}{number}" for number in distinct.tolist()])
    return names.take(pa.array(codes))
