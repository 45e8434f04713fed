"""Reads one user's canonical events from JSON Lines, CSV or Parquet.

Columns: `item_id`, `action`, `timestamp` (milliseconds UTC), optional `value`,
`sequence` (order within equal timestamps) and `user_id` (then one user alone).
JSON Lines and CSV may be gzipped (`.gz`).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from schema import errors
from serving import requests

_FORMATS = ".jsonl, .json, .ndjson, .csv (each plain or with .gz) or .parquet"
_REQUIRED = ("item_id", "action", "timestamp")


class _Row(NamedTuple):
    """One record and the place that an error names."""

    place: str
    fields: dict[str, Any]


def read_history(path: str | Path) -> list[requests.Event]:
    """Returns the events ordered by (timestamp, sequence, item id).

    Args:
      path: The file; its ending names the format.

    Returns:
      The events, oldest first; empty for a file without rows.

    Raises:
      InputError: The file is missing, unreadable, or a row is not a canonical
        event; the message names file and line (or row, in Parquet).
    """
    path = Path(path)
    if not path.is_file():
        raise errors.InputError(f"the history file {path} does not exist")
    keyed = []
    users: dict[str, str] = {}
    try:
        for row in _rows(path):
            event, sequence = _event(row)
            keyed.append(((event.timestamp, sequence, event.item_id), event))
            if (user := row.fields.get("user_id")) is not None:
                users.setdefault(str(user), row.place)
                if len(users) > 1:
                    (first, place), (second, other) = users.items()
                    raise errors.InputError(
                        f"a history file must hold one user; {place} has {first!r} "
                        f"and {other} has {second!r}"
                    )
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise errors.InputError(f"cannot read {path}: {error}") from error
    keyed.sort(key=lambda pair: pair[0])
    return [event for _, event in keyed]


def _rows(path: Path) -> Iterator[_Row]:
    name = path.name.removesuffix(".gz")
    suffix = Path(name).suffix.lower()
    if suffix == ".parquet":
        return _parquet_rows(path)
    if suffix == ".csv":
        return _csv_rows(path)
    if suffix in (".jsonl", ".json", ".ndjson"):
        return _json_rows(path)
    raise errors.InputError(
        f"{path}: the name of a history file must end in {_FORMATS}"
    )


def _open_text(path: Path) -> io.TextIOBase:
    # utf-8-sig: spreadsheet programs put a byte-order mark before the header.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _json_rows(path: Path) -> Iterator[_Row]:
    with _open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place, got, fault = f"{path}, line {number}", line.strip()[:60], ""
            try:
                fields = json.loads(line)
            except RecursionError:
                fields, fault = None, " (nested too deeply)"
            except ValueError as error:  # also an integer of thousands of digits
                fields, fault = None, f" ({getattr(error, 'msg', error)})"
            if not isinstance(fields, dict):
                raise errors.InputError(
                    f"{place}: expected one JSON object a line; got {got!r}{fault}"
                )
            yield _Row(place, fields)


def _csv_rows(path: Path) -> Iterator[_Row]:
    with _open_text(path) as file:
        reader = csv.DictReader(file, strict=True)
        header = reader.fieldnames
        if header is None:
            return
        if missing := [name for name in _REQUIRED if name not in header]:
            raise errors.InputError(
                f"{path}, line 1: the header must name {', '.join(_REQUIRED)}; "
                f"{', '.join(missing)} is missing from {','.join(header)!r}"
            )
        try:
            for fields in reader:
                place = f"{path}, line {reader.line_num}"
                if None in fields or None in fields.values():
                    raise errors.InputError(
                        f"{place}: expected {len(header)} cells as in the header"
                    )
                # An empty cell is how CSV writes "no value".
                yield _Row(place, {k: v for k, v in fields.items() if v != ""})
        except csv.Error as error:
            raise errors.InputError(
                f"{path}, line {reader.line_num}: not valid CSV ({error})"
            ) from error


def _parquet_rows(path: Path) -> Iterator[_Row]:
    import pyarrow as pa
    import pyarrow.parquet

    from schema import untrusted_parquet

    untrusted_parquet.forbid_code()
    try:
        table = pyarrow.parquet.read_table(path)
    except pa.ArrowException as error:
        raise errors.InputError(f"{path} is not a Parquet file: {error}") from error
    for number, fields in enumerate(table.to_pylist()):
        yield _Row(f"{path}, row {number}", fields)


def _event(row: _Row) -> tuple[requests.Event, int]:
    fields = row.fields
    item_id = _text(row, "item_id")
    action = _text(row, "action")
    timestamp = _integer(row, "timestamp")
    if timestamp < 0:
        raise errors.InputError(
            f"{row.place}: `timestamp` must be milliseconds since 1970; got {timestamp}"
        )
    sequence = 0 if fields.get("sequence") is None else _integer(row, "sequence")
    return requests.Event(item_id, action, timestamp, _value(row)), sequence


def _text(row: _Row, name: str) -> str:
    value = row.fields.get(name)
    # Ids are often written as numbers; 7 and "7" are the same id, 7.0 is suspicious.
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        got = "nothing" if value is None else repr(value)
        raise errors.InputError(
            f"{row.place}: `{name}` must be a non-empty text; got {got}"
        )
    return value


def _integer(row: _Row, name: str) -> int:
    value = row.fields.get(name)
    number: int | None = None
    if isinstance(value, str):
        try:
            number = int(value)
        except ValueError:
            number = None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None or abs(number) >= 2**63:
        got = "nothing" if value is None else repr(value)
        unit = " of milliseconds" if name == "timestamp" else ""
        raise errors.InputError(
            f"{row.place}: `{name}` must be a whole number{unit}; got {got}"
        )
    return number


def _value(row: _Row) -> float | None:
    value = row.fields.get("value")
    if value is None:
        return None
    try:
        number = math.inf if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.inf
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise errors.InputError(
            f"{row.place}: `value` must be a finite number or absent; got {value!r}"
        )
    return number
