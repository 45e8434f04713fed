"""The script one would write for one machine: Polars from Parquet to TFRecords.

Runs in an environment of its own (`make setup-benchmarks`). Polars reads, checks,
drops repeats, sorts and merges on all cores; cutting and encoding of windows are the
product's own plain functions, so that what is compared is all that comes before.
"""

from __future__ import annotations

import gzip
import pathlib

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.ingestion import rules
from components.event_example_gen import encoding, interactions, windows
from components.ingestion import tfrecords

_USERS_AT_ONCE = 4_000
_KEYS = ["user", "timestamp", "item"]


def run(log: str, output: str, arguments: list[str]) -> None:
    """Writes what the product's path writes, rejected rows included."""
    del arguments
    frame = pl.read_parquet(f"{log}/*.parquet")
    is_good = (
        (pl.col("user_id").fill_null("") != "")
        & (pl.col("item_id").fill_null("") != "")
        & (pl.col("timestamp") >= rules.MIN_TIMESTAMP_MS)
        & (pl.col("timestamp") < rules.MAX_TIMESTAMP_MS)
        & pl.col("action").is_in(list(rules.ACTIONS))
    ).fill_null(False)
    report = pathlib.Path(output) / "report"
    report.mkdir(parents=True)
    with gzip.open(report / "rejected.jsonl.gz", "wb", 1) as sink:
        frame.filter(~is_good).write_ndjson(sink)
    frame = frame.filter(is_good)
    ids = {}
    for column, code in (("user_id", "user"), ("item_id", "item")):
        ids[code] = frame[column].unique().sort()
        codes = frame[column].cast(pl.Enum(ids[code])).to_physical()
        frame = frame.drop(column).with_columns(codes.alias(code))
    # A set of actions is a bit mask; the product's names are sorted too.
    names = sorted(rules.ACTIONS)
    bit = pl.col("action").cast(pl.Enum(names)).to_physical().cast(pl.Int64)
    frame = frame.with_columns((2**bit).cast(pl.Int64).alias("action"))
    # Missing values first, so that the last present one of an exposure is the last.
    frame = frame.sort([*_KEYS, "action", "value"], nulls_last=False)
    frame = frame.filter(~_equals_previous([*_KEYS, "action", "value"]))
    frame = frame.with_columns(later=_equals_previous(_KEYS))
    repeated = pl.col("later") | pl.col("later").shift(-1, fill_value=False)
    merged = (
        frame.filter(repeated)
        .group_by(_KEYS, maintain_order=True)
        .agg(pl.col("action").bitwise_or(), pl.col("value").drop_nulls().last())
    )
    single = frame.filter(~repeated).drop("later")
    frame = pl.concat([single, merged.select(single.columns)]).sort(_KEYS)
    _write(frame, ids, names, output)


def _equals_previous(columns: list[str]) -> pl.Expr:
    """Returns which rows of a sorted frame repeat the row before."""
    return pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift(1)) for c in columns)


def _write(frame: pl.DataFrame, ids: dict, names: list[str], output: str) -> None:
    user = frame["user"].to_numpy()
    begins = np.append(np.flatnonzero(np.diff(user, prepend=-1)), len(user))
    item_ids = ids["item"].to_arrow().cast(pa.string())
    user_ids = ids["user"].to_arrow().cast(pa.string())
    columns = {
        "item": frame["item"].to_numpy(),
        "timestamp": frame["timestamp"].to_numpy(),
        "actions": frame["action"].to_numpy(),
        "value": frame["value"].fill_null(float("nan")).to_numpy(),
    }
    folders = [pathlib.Path(output) / f"Split-{split}" for split in rules.SPLITS]
    for folder in folders:
        folder.mkdir(parents=True)
    for shard, first in enumerate(range(0, len(begins) - 1, _USERS_AT_ONCE)):
        user_begin = begins[first : first + _USERS_AT_ONCE + 1]
        rows = slice(user_begin[0], user_begin[-1])
        history = interactions.Interactions(
            user_ids=user_ids.slice(first, len(user_begin) - 1),
            user_begin=user_begin - user_begin[0],
            item_ids=item_ids,
            **{name: column[rows] for name, column in columns.items()},
        )
        bounds = windows.leave_last_out(history.user_begin)
        encoder = encoding.WindowEncoder(history, names)
        for index, folder in enumerate(folders):
            cut = windows.cut_windows(
                history.user_begin,
                bounds[index],
                bounds[index + 1],
                rules.MAX_LENGTH,
                rules.MIN_CONTEXT,
            )
            part = tfrecords.compressed(encoder.encode(cut))
            (folder / f"examples-{shard:05d}.gz").write_bytes(part)
