"""Rows of JSON Lines, read one by one, as tables of one type a column.

JSON tells numbers from texts and lists from both, and so do the tables: rows whose
cells have other types stand in another table. What a cell means never depends on the
cells of other lines.
"""

from __future__ import annotations

import collections
import contextlib
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from components.ingestion import blocks, casting, nested
from schema import events

_SAMPLE_LINES = 200
_STRING, _INT64, _FLOAT64, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_NUMBERS = {_INT64, _FLOAT64}
_INT64_RANGE = range(-(2**63), 2**63)
Cell = tuple[Any, pa.DataType]
"""A cell as Arrow takes it, and its type."""


class _RefusedError(Exception):
    """A line is refused; the argument is the reason."""


def sample(data: bytes) -> list[dict[str, Any]]:
    """Returns the objects among the first lines."""
    rows = []
    for line in data.split(b"\n", _SAMPLE_LINES)[:_SAMPLE_LINES]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


class Columns(NamedTuple):
    """What is read of a file."""

    schema: pa.Schema
    """The columns: `string`, `int64`, `double`, `bool`, or a list of one."""
    stored: pa.Schema | None
    """The keys that hold them, with the structs of which a column is a field; None:
    one key holds several things."""


def infer_columns(
    data: bytes, columns: Sequence[str], list_columns: Collection[str]
) -> Columns:
    """Returns the types that most of the first cells have.

    Args:
      data: lines.
      columns: keys, or fields of the objects at a key, such as `genres.name`.
      list_columns: those of them that may hold lists.
    """
    rows = sample(data)
    keys = {key for row in rows for key in row}
    fields = []
    stored: dict[str, pa.DataType] = {}
    several = False
    for name in columns:
        kinds: collections.Counter[pa.DataType] = collections.Counter()
        for row in rows:
            with contextlib.suppress(_RefusedError):
                _, kind = _typed(_cell(row, name), None, name in list_columns)
                if kind is not None:
                    kinds[kind] += 1
        kind = _common(kinds)
        fields.append((name, kind))
        key, field = nested.locate(name, keys)
        if field:
            kind = _struct(field, kind, any(type(row.get(key)) is list for row in rows))
        several |= key in stored
        stored[key] = kind
    return Columns(pa.schema(fields), None if several else pa.schema(stored.items()))


def _struct(field: str, kind: pa.DataType, in_list: bool) -> pa.DataType:
    if in_list and pa.types.is_list(kind):
        return pa.list_(pa.struct([(field, kind.value_type)]))
    return pa.struct([(field, kind)])


def _cell(row: dict[str, Any], name: str) -> Any:
    """Returns what a row has of a column, None if nothing."""
    if name in row or "." not in name:
        return row.get(name)
    key, field = nested.locate(name, row)
    holder = row.get(key)
    if isinstance(holder, list):
        return [_field(part, field) for part in holder]
    return _field(holder, field)


def _field(holder: object, field: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(field)
    if holder is None:
        return None
    raise _RefusedError(events.BAD_TYPE)


def _common(kinds: collections.Counter[pa.DataType]) -> pa.DataType:
    if not kinds:
        return _STRING
    if set(kinds) == _NUMBERS:
        return _FLOAT64
    if set(kinds) == {pa.list_(kind) for kind in _NUMBERS}:
        return pa.list_(_FLOAT64)
    return kinds.most_common(1)[0][0]


def read_lines(
    index: blocks.Lines,
    schema: pa.Schema,
    list_columns: Collection[str],
    begin: int,
    end: int,
) -> Iterator[blocks.Rows]:
    """Yields the rows of some lines, those of equal types together.

    Args:
      index: the lines.
      schema: the columns, and their types where a cell fits them or is null.
      list_columns: those that may hold lists.
      begin: first line.
      end: after the last line.

    Yields:
      Rows of one schema each; then, without rows, the refused lines.
    """
    tables: dict[tuple[pa.DataType, ...], tuple[list[int], list[list[object]]]] = {}
    rejected = []
    for at in range(begin, end):
        content = index.content(at)
        if not content.strip():
            continue
        try:
            row = _parse(content)
            cells = [
                _typed(_cell(row, field.name), field.type, field.name in list_columns)
                for field in schema
            ]
        except _RefusedError as refusal:
            text = blocks.as_text(content)
            rejected.append(blocks.Rejected(at, str(refusal), text))
            continue
        kinds = tuple(kind for _, kind in cells if kind is not None)
        line, rows = tables.setdefault(kinds, ([], []))
        line.append(at)
        rows.append([cell for cell, _ in cells])
    for kinds, (line, rows) in tables.items():
        columns = zip(schema.names, kinds, zip(*rows, strict=True), strict=True)
        table = pa.table({name: pa.array(cells, kind) for name, kind, cells in columns})
        yield blocks.Rows(table, np.array(line, np.int64))
    if rejected:
        yield blocks.Rows(pa.table({}), np.zeros(0, np.int64), rejected)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _RefusedError(events.BAD_UTF8) from error
    except (ValueError, RecursionError) as error:
        raise _RefusedError(events.BAD_JSON) from error
    if not isinstance(row, dict):
        raise _RefusedError(events.BAD_JSON)
    return row


def _typed(
    cell: Any, expected: pa.DataType | None, may_be_list: bool
) -> tuple[Any, pa.DataType | None]:
    """Returns a cell and its type.

    Args:
      cell: as JSON has it.
      expected: its type if it is null, or a number that fits it; None: the cell's own.
      may_be_list: whether a list is welcome.
    """
    if cell is None:
        return None, expected
    if not isinstance(cell, list):
        return _fitted([_scalar(cell)], expected)[0]
    if not may_be_list:
        raise _RefusedError(events.BAD_TYPE)
    element = None
    if expected is not None and pa.types.is_list(expected):
        element = expected.value_type
    parts = _fitted([_scalar(part) for part in cell if part is not None], element)
    kinds = {kind for _, kind in parts}
    if _BOOL in kinds:
        raise _RefusedError(events.BAD_TYPE)
    if len(kinds) > 1:
        return [_text(*part) for part in parts], pa.list_(_STRING)
    kind = kinds.pop() if kinds else element or _STRING
    return [part for part, _ in parts], pa.list_(kind)


def _scalar(cell: Any) -> Cell:
    if isinstance(cell, bool):
        return cell, _BOOL
    if isinstance(cell, int):
        # What is too long for a number is still an id.
        return (cell, _INT64) if cell in _INT64_RANGE else (str(cell), _STRING)
    if isinstance(cell, float):
        return cell, _FLOAT64
    if not isinstance(cell, str):
        raise _RefusedError(events.BAD_TYPE)
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise _RefusedError(events.BAD_UTF8) from error
    return cell, _STRING


def _fitted(cells: list[Cell], expected: pa.DataType | None) -> list[Cell]:
    """Returns the cells with numbers as one type where none of them changes by it."""
    kinds = {kind for _, kind in cells}
    if expected in _NUMBERS and kinds < _NUMBERS:
        kinds = kinds | {expected}
    if kinds != _NUMBERS:
        return cells
    numbers = [cell for cell, _ in cells]
    if any(not abs(cell) < casting.EXACT_INTEGERS for cell in numbers):
        return cells
    if expected == _INT64 and all(float(cell).is_integer() for cell in numbers):
        return [(int(cell), _INT64) for cell in numbers]
    return [(float(cell), _FLOAT64) for cell in numbers]


def _text(cell: Any, kind: pa.DataType) -> str:
    """Returns a cell of a list of mixed types."""
    if isinstance(cell, float):
        if not cell.is_integer() or abs(cell) > casting.EXACT_INTEGERS:
            raise _RefusedError(events.BAD_TYPE)
        return str(int(cell))
    return str(cell)
