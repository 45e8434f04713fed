"""Writes a synthetic log: Zipf items, a few users of very many events, bad rows."""

from __future__ import annotations

import pathlib

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from benchmarks.ingestion import rules

ACTION_SHARES = (0.6, 0.15, 0.22, 0.03)
EVENTS_PER_USER = 100
BAD_SHARE = 0.001
"""Rows without a user, of an unknown action, or with seconds for milliseconds."""
REPEATED_SHARE = 0.005
_START_MS = 1_700_000_000_000
_SPAN_MS = 60 * 86_400_000
_ROWS_PER_GROUP = 1_000_000
_ROWS_PER_FILE = 2_500_000


def write_log(
    folder: pathlib.Path,
    num_events: int,
    num_items: int = 50_000,
    hot_users: int = 3,
    hot_user_events: int = 100_000,
    seed: int = 1,
) -> list[pathlib.Path]:
    """Writes Parquet files in no particular order of users or time.

    Args:
      folder: made if absent; files of the same name are replaced.
      num_events: rows over all files.
      num_items: catalogue size; popularity falls with rank to the power 1.1.
      hot_users: users of very many events.
      hot_user_events: of each; all together at most half of the rows.
      seed: of the generator.

    Returns:
      The paths of the files, at least four, each of at most 2.5 million rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    num_files = max(4, -(-num_events // _ROWS_PER_FILE))
    num_users = max(1, num_events // EVENTS_PER_USER)
    popularity = np.cumsum(1.0 / np.arange(1, num_items + 1) ** 1.1)
    popularity /= popularity[-1]
    hot = min(hot_users * hot_user_events, num_events // 2) // num_files
    paths = []
    for number in range(num_files):
        rows = num_events // num_files + (number < num_events % num_files)
        user = rng.integers(hot_users, num_users + hot_users, rows)
        user[rng.choice(rows, hot, replace=False)] = rng.integers(
            0, max(1, hot_users), hot
        )
        item = np.searchsorted(popularity, rng.random(rows))
        value = rng.random(rows)
        table = pa.table(
            {
                "user_id": _prefixed("u", user),
                "item_id": _prefixed("item_", item),
                "timestamp": pa.array(_START_MS + rng.integers(0, _SPAN_MS, rows)),
                "action": pa.array(rules.ACTIONS).take(
                    pa.array(rng.choice(len(rules.ACTIONS), rows, p=ACTION_SHARES))
                ),
                "value": pa.array(value, mask=value < 0.2),
            }
        )
        table = _repeat(_spoil(table, rng), rng)
        path = folder / f"events-{number:03d}.parquet"
        parquet.write_table(table, path, row_group_size=_ROWS_PER_GROUP)
        paths.append(path)
    return paths


def _spoil(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Returns the table with some rows that no event can be made of."""
    chosen = rng.random(table.num_rows) < BAD_SHARE
    kind = rng.integers(0, 3, table.num_rows)
    user, time, action = (
        table[name].combine_chunks() for name in ("user_id", "timestamp", "action")
    )
    columns = {
        "user_id": compute.if_else(pa.array(chosen & (kind == 0)), "", user),
        "timestamp": pa.array(
            np.where(chosen & (kind == 1), np.asarray(time) // 1000, time)
        ),
        "action": compute.if_else(pa.array(chosen & (kind == 2)), "buy", action),
    }
    for name, column in columns.items():
        index = table.column_names.index(name)
        table = table.set_column(index, name, column)
    return table


def _repeat(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Returns the table with some rows replaced by others that are in it."""
    row = np.arange(table.num_rows)
    again = rng.random(table.num_rows) < REPEATED_SHARE
    row[again] = rng.integers(0, table.num_rows, again.sum())
    return table.take(pa.array(row))


def _prefixed(prefix: str, numbers: np.ndarray) -> pa.Array:
    distinct, codes = np.unique(numbers, return_inverse=True)
    names = pa.array([f"{prefix}{number}" for number in distinct.tolist()])
    return names.take(pa.array(codes))
