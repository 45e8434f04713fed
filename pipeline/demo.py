"""`heed demo`: a folder in which what is clicked on the page is learnt from.

`log/span-1` holds the log of a config as canonical events, `log/span-2` what people
said, and `demo.toml` reads both as one log.
"""

from __future__ import annotations

import functools
import operator
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from components.event_example_gen import check, mapping
from components.ingestion import locations, sources
from pipeline import config as config_lib
from pipeline import toml_text
from schema import errors, features, files, settings

_SOURCE = "demo"
_EVENTS = pathlib.Path("log", "span-1", "events.parquet")


class Demo(NamedTuple):
    """Where things are."""

    config: pathlib.Path
    """What the next run takes as `--config`."""
    clicks: pathlib.Path
    """Folder of what people said."""
    requests: pathlib.Path
    """Folder of what was asked, and shown."""


def prepare(resolved: config_lib.ResolvedConfig, root: pathlib.Path) -> Demo:
    """Returns the folders, made where they are missing.

    Args:
      resolved: configuration of the model's own run.
      root: of the demo.

    Raises:
      InputError: the log cannot be read.
    """
    demo = Demo(root / "demo.toml", root / "log" / "span-2", root / "requests")
    config = resolved.config
    check.check_source(config.data, config.mapping().events, config.feedback)
    try:
        demo.clicks.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.InputError(
            f"{root} cannot be made: {error.strerror}; give another `--root`"
        ) from error
    if not (root / _EVENTS).is_file():
        sink = pa.BufferOutputStream()
        parquet.write_table(canonical(config), sink)
        files.write_atomically(root / _EVENTS, [sink.getvalue()])
    files.write_atomically(demo.config, _overlay(resolved, root))
    return demo


def canonical(config: settings.HeedConfig) -> pa.Table:
    """Returns the good events of a log in canonical form, in its own order."""
    event_mapping = config.mapping().events
    names = np.array(config.feedback.names(), object)
    columns = [name for name, _ in mapping.column_uses(event_mapping)]
    tables = []
    for file in locations.local_files(config.data.events, "data.events"):
        for _, unit in sources.list_units(file):
            with locations.open_file(file.path) as stream:
                for block in sources.read_blocks(
                    stream, file, unit, list(dict.fromkeys(columns))
                ):
                    if not block.table.num_rows:
                        continue
                    events, reasons = mapping.to_events(
                        block.table, event_mapping, config.data, config.feedback.names()
                    )
                    good = events.take(reasons.code == 0)
                    tables.append(_table(good, names))
    return pa.concat_tables(tables)


def _table(events: mapping.Events, names: Any) -> pa.Table:
    return pa.table(
        {
            features.USER_ID: events.user_ids.take(pa.array(events.user)),
            features.ITEM_ID: events.item_ids.take(pa.array(events.item)),
            features.TIMESTAMP: events.timestamp,
            features.ACTION: pa.array(names[events.action], pa.string()),
            features.VALUE: pa.array(events.value, from_pandas=True),
        }
    )


def _overlay(resolved: config_lib.ResolvedConfig, root: pathlib.Path) -> str:
    """Returns the config as TOML: what was set, with another log."""
    values = resolved.config.model_dump(mode="json")
    given: dict[str, Any] = {
        key: functools.reduce(operator.getitem, key.split("."), values)
        for key, label in resolved.origin.items()
        if label != config_lib.DEFAULT_ORIGIN and not key.startswith("serving.")
    }
    items = resolved.config.mapping().items.model_dump(mode="json")
    prefix = f"mappings.{_SOURCE}.items."
    given |= {
        "data.events": os.path.join(os.path.abspath(root), "log", "span-{SPAN}", "*"),
        "data.window_spans": 2,
        "data.source": _SOURCE,
        **{k: v for k, v in config_lib.flatten(items, prefix) if v is not None},
    }
    if resolved.config.data.items:
        given["data.items"] = os.path.abspath(resolved.config.data.items)
    lines = [toml_text.line(key, value) for key, value in sorted(given.items())]
    return "\n".join(["# Written by `heed demo`.", *lines, ""])
