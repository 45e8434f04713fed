"""What `heed inspect` says of a log and its catalogue, line by line."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from components.event_example_gen import mapping as event_mapping
from components.ingestion import blocks, check_columns, column_types, refusals
from components.item_catalog_gen import mapping as item_mapping
from components.item_catalog_gen import pictures
from components.item_catalog_gen import report as catalog_report
from pipeline.inspection import first_rows, guess
from schema import errors, settings

_SAMPLES, _SAMPLE_WIDTH, _VALUES, _VALUES_WIDTH = 3, 100, 3, 44
_CATALOGUE_ROWS = 5_000_000
_OTHERS: dict[column_types.Use, str] = {
    column_types.CONDITION: "action_rules",
    column_types.NUMBER: "value_divided_by",
}
_EMPTY = (None, "", b"")
_MapRows = Callable[[pa.Table], refusals.Reasons]


class Counted(NamedTuple):
    """What became of the first rows."""

    read: int
    kept: int
    samples: dict[str, list[tuple[int, str]]]
    """Reason to (position, row) of the first ones."""
    rejected: dict[str, int]
    """Reason to rows."""


def count(found: Sequence[blocks.Block], map_rows: _MapRows) -> Counted:
    """Returns what ingestion would do with rows.

    Args:
      found: blocks of raw rows.
      map_rows: maps a table, and returns which rows are refused.
    """
    refused: list[blocks.Rejected] = []
    read = kept = 0
    for block in found:
        refused += block.rejected
        read += block.table.num_rows + sum(row.rows for row in block.rejected)
        if not block.table.num_rows:
            continue
        reasons = map_rows(block.table)
        rows = reasons.rejected()
        kept += block.table.num_rows - len(rows)
        for row, raw in zip(rows.tolist(), block.raw_rows(rows), strict=True):
            position = int(block.position[row])
            refused.append(blocks.Rejected(position, reasons.of(row), raw))
    samples: dict[str, list[tuple[int, str]]] = {}
    rejected: dict[str, int] = {}
    for row in sorted(refused):
        rejected[row.reason] = rejected.get(row.reason, 0) + row.rows
        samples.setdefault(row.reason, []).append((row.position, row.raw))
    return Counted(read, kept, samples, rejected)


def rejections(counted: Counted, place: str) -> Iterator[str]:
    """Yields how many rows are kept, and samples of the others by reason."""
    num_rejected = counted.read - counted.kept
    yield (
        f"  of the first {counted.read:,} rows {counted.kept:,} would be kept, "
        f"{num_rejected:,} rejected"
    )
    for reason, number in sorted(counted.rejected.items(), key=lambda x: (-x[1], x[0])):
        yield f"    {reason}: {number:,}"
        for position, raw in counted.samples[reason][:_SAMPLES]:
            yield f"      {place} {position}: {_short(raw, _SAMPLE_WIDTH)}"


def _short(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def column_table(
    looks: Sequence[first_rows.Look], reads: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yields a table of the columns: name, type, what reads it, first values."""
    rows = [("column", "type", "read as", "first values")]
    for name, kind, cells in looks:
        texts = dict.fromkeys(
            _cell(cell) for cell in cells[:100].to_pylist() if cell not in _EMPTY
        )
        values = _short(", ".join(list(texts)[:_VALUES]), _VALUES_WIDTH)
        rows.append((name, kind, ", ".join(reads.get(name, ())) or "-", values))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  " + "  ".join([*cells, row[3]]).rstrip()


def _cell(cell: Any) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def read_as(
    fields: Mapping[str, str], others: column_types.Uses
) -> dict[str, list[str]]:
    """Returns, by column, the canonical fields that are read from it."""
    found: dict[str, list[str]] = {}
    for field, column in fields.items():
        if column:
            found.setdefault(column, []).append(field)
    for column, use in others:
        found.setdefault(column, [_OTHERS.get(use, use)])
    return found


def unfit(
    source: first_rows.Source, uses: column_types.Uses, required: Sequence[str]
) -> str:
    """Returns why the mapping does not fit the files, or ""."""
    try:
        check_columns.check(source.files, uses, required, "data.source", source.limits)
    except errors.InputError as error:
        return str(error)
    return ""


def suggested(
    looks: Sequence[first_rows.Look], fields: Mapping[str, str], part: str
) -> Iterator[str]:
    """Yields a mapping in TOML, guessed from names and cells.

    Args:
      looks: the columns.
      fields: canonical field to column, as far as names give it away.
      part: `events` or `items`.
    """
    default: settings.EventColumns | settings.ItemColumns = (
        settings.EventColumns() if part == "events" else settings.ItemColumns()
    )
    required = ("user_id", "item_id", "timestamp") if part == "events" else ("item_id",)
    columns = {
        field: fields.get(field, "?" if field in required else "")
        for field in type(default).model_fields
    }
    yield "    [data]"
    yield '    source = "mine"'
    yield f"    [mappings.mine.{part}]"
    time = fields.get("timestamp" if part == "events" else "created_at", "")
    cells = [column.cells for column in looks if column.name == time]
    unit = guess.time_unit(cells[0]) if cells else ""
    if unit:
        key = "timestamp_unit" if part == "events" else "created_at_unit"
        yield f'    {key} = "{unit}"'
    pairs = ", ".join(
        f"{field} = {json.dumps(name)}" for field, name in columns.items()
    )
    yield f"    columns = {{ {pairs} }}"
    if part == "events" and not columns["action"]:
        rating = [name for name, _, _ in looks if name.lower() in guess.RATINGS]
        if rating:
            column = json.dumps(rating[0])
            yield "    action_rules = ["
            yield f'      {{ column = {column}, at_least = 4.0, action = "like" }},'
            yield f'      {{ column = {column}, at_most = 2.0, action = "dislike" }},'
            yield "    ]"
        yield '    default_action = "view"'


def time_range(times_ms: np.ndarray[Any, Any]) -> str:
    """Returns the first and the last of some times as people write them."""
    ends = [
        datetime.datetime.fromtimestamp(int(ms) / 1000, datetime.timezone.utc)
        for ms in (times_ms.min(), times_ms.max())
    ]
    return " .. ".join(end.strftime("%Y-%m-%d %H:%M") for end in ends)


def features(items: pa.Table) -> str:
    """Returns how many items have each optional field."""
    items, refused = pictures.keep_loadable(items)
    counted = catalog_report.feature_counts(items)
    total = counted.pop("items_kept")
    shares = (f"{name.removeprefix('with_')} {n:,}" for name, n in counted.items() if n)
    told = f"of {total:,} items: {', '.join(shares) or 'ids alone'}"
    return told + (f"; {refused:,} image_url refused: no http(s)" if refused else "")


def events_of(
    found: Sequence[blocks.Block], config: settings.HeedConfig
) -> tuple[Counted, list[event_mapping.Events]]:
    """Returns what becomes of rows of a log, and the events among them."""
    kept: list[event_mapping.Events] = []

    def map_rows(table: pa.Table) -> refusals.Reasons:
        rows, reasons = event_mapping.to_events(
            table, config.mapping().events, config.data, config.feedback.names()
        )
        kept.append(rows.take(reasons.code == 0))
        return reasons

    return count(found, map_rows), kept


def items_of(
    found: Sequence[blocks.Block], config: settings.HeedConfig
) -> tuple[Counted, pa.Table]:
    """Returns what becomes of rows of a catalogue, and the items among them."""
    kept = [item_mapping.SCHEMA.empty_table()]

    def map_rows(table: pa.Table) -> refusals.Reasons:
        rows, reasons = item_mapping.to_items(
            table, config.mapping().items, config.data.item_features
        )
        kept.append(rows.filter(pa.array(reasons.code == 0)))
        return reasons

    counted = count(found, map_rows)
    return counted, pa.concat_tables(kept)


def known(source: first_rows.Source, id_column: str, logged: pa.Array) -> Iterator[str]:
    """Yields how many items of the log's first rows a catalogue holds."""
    held, rows, is_all = first_rows.known_share(
        source, id_column, logged, _CATALOGUE_ROWS
    )
    part = "" if is_all else f" in its first {rows:,} rows"
    yield (
        f"  the catalogue holds {held:,} of the {len(logged):,} items of these "
        f"events{part}"
    )
    if not held and len(logged):
        yield "    none: are ids written differently, or is another column the id?"
