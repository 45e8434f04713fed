"""Reads JSON Lines files into blocks: vectorised, and line by line around bad blocks.

Every line is one object. Numbers and text are both welcome as ids and as numbers: the
mapping casts them. Line by line, all cells become text, which the mapping treats alike.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json

from components.ingestion import blocks, casting, text_blocks
from schema import events

_SAMPLE_LINES = 200
# The parser refuses more than 100,000 rows at once.
_PARSER_BYTES = 2**20
# Below this a vectorised pass costs more than it saves.
_SLOW_LINES = 32


class _RefusedError(Exception):
    """A line is refused; the argument is the reason."""


def read_blocks(
    source: text_blocks.LineBlocks,
    columns: Sequence[str],
    list_columns: Sequence[str] = (),
) -> Iterator[blocks.Block]:
    """Yields the rows of a JSON Lines file.

    Args:
      source: the file, at its first line.
      columns: keys to read; a key that a line lacks is null.
      list_columns: those of them that may hold a list of texts.

    Yields:
      Blocks whose columns are `string`, `int64` or `double`, and `list<string>` for
      the list columns.
    """
    schema = None
    for block in source:
        if schema is None:
            schema = _infer_schema(block.data, columns, list_columns)
        index = blocks.Lines(block.data)
        parts = _read_by_halves(
            0,
            len(index),
            functools.partial(_read_fast, index, schema),
            functools.partial(_read_by_line, index, columns, list_columns),
        )
        yield blocks.to_block(_unified(list(parts)), index, block.first_line, {})


def _read_by_halves(
    begin: int,
    end: int,
    fast: Callable[[int, int], blocks.Rows | None],
    slow: Callable[[int, int], blocks.Rows],
) -> Iterator[blocks.Rows]:
    """Yields the rows of lines that are independent of each other, in order.

    A range that cannot be read at once is read in halves, down to a few blocks.

    Args:
      begin: first line.
      end: after the last line.
      fast: reads a range of lines, or returns None if it cannot.
      slow: reads any range of lines one by one.
    """
    if begin >= end:
        return
    rows = fast(begin, end)
    if rows is not None:
        yield rows
    elif end - begin <= _SLOW_LINES:
        yield slow(begin, end)
    else:
        middle = (begin + end) // 2
        yield from _read_by_halves(begin, middle, fast, slow)
        yield from _read_by_halves(middle, end, fast, slow)


def _unified(parts: list[blocks.Rows]) -> list[blocks.Rows]:
    """Returns the parts with columns of one type: text, unless all agree."""
    schemas = [part.table.schema for part in parts if part.table.num_rows]
    if all(schema == schemas[0] for schema in schemas[1:]):
        return parts
    return [part._replace(table=_as_texts(part.table)) for part in parts]


def _as_texts(table: pa.Table) -> pa.Table:
    return pa.table(
        {
            name: column
            if pa.types.is_nested(column.type)
            else pa.chunked_array([_number_texts(casting.single_array(column))])
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def _number_texts(column: pa.Array) -> pa.Array:
    """Returns numbers as Python writes them, which is how the slow pass has them."""
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    return pa.array(
        [None if number is None else repr(number) for number in column.to_pylist()],
        pa.string(),
    )


def sample_keys(data: bytes) -> set[str]:
    """Returns the keys that occur in the first good blocks."""
    return {key for row in _sample(data) for key in row}


def _sample(data: bytes) -> list[dict[str, object]]:
    rows = []
    for line in data.split(b"\n", _SAMPLE_LINES)[:_SAMPLE_LINES]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _infer_schema(
    data: bytes, columns: Sequence[str], list_columns: Sequence[str]
) -> pa.Schema:
    """Returns the types by which the fast pass will most likely succeed."""
    rows = _sample(data)
    fields = []
    for name in columns:
        kinds = {type(row[name]) for row in rows if row.get(name) is not None}
        if name in list_columns and list in kinds:
            kind = pa.list_(pa.string())
        elif kinds == {int}:
            kind = pa.int64()
        elif kinds and kinds <= {int, float}:
            kind = pa.float64()
        else:
            kind = pa.string()
        fields.append((name, kind))
    return pa.schema(fields)


def _read_fast(
    index: blocks.Lines, schema: pa.Schema, begin: int, end: int
) -> blocks.Rows | None:
    """Returns the rows, or None unless every filled line is an object of the schema."""
    data = index.slice(begin, end)
    try:
        table = arrow_json.read_json(
            pa.BufferReader(data),
            read_options=arrow_json.ReadOptions(
                use_threads=False, block_size=_PARSER_BYTES
            ),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=schema,
                newlines_in_values=False,
                unexpected_field_behavior="ignore",
            ),
        )
        table.validate(full=True)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    line = np.arange(begin, end)
    if table.num_rows != len(line):
        line = line[index.filled[begin:end]]
    return blocks.Rows(table, line) if table.num_rows == len(line) else None


def _read_by_line(
    index: blocks.Lines,
    columns: Sequence[str],
    list_columns: Sequence[str],
    begin: int,
    end: int,
) -> blocks.Rows:
    cells: dict[str, list[object]] = {name: [] for name in columns}
    line: list[int] = []
    rejected: list[blocks.Rejected] = []
    for at in range(begin, end):
        content = index.content(at)
        if not content.strip():
            continue
        try:
            row = _parse(content, columns, list_columns)
        except _RefusedError as refusal:
            text = blocks.as_text(content)
            rejected.append(blocks.Rejected(at, str(refusal), text))
            continue
        for name, cell in row.items():
            cells[name].append(cell)
        line.append(at)
    table = pa.table(
        {
            name: pa.array(
                values, pa.list_(pa.string()) if name in list_columns else pa.string()
            )
            for name, values in cells.items()
        }
    )
    return blocks.Rows(table, np.array(line, np.int64), rejected)


def _parse(
    line: bytes, columns: Sequence[str], list_columns: Sequence[str]
) -> dict[str, object]:
    """Returns the cells of one line as text (or lists of text, or None)."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _RefusedError(events.BAD_UTF8) from error
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(events.BAD_JSON) from error
    if not isinstance(row, dict):
        raise _RefusedError(events.BAD_JSON)
    cells: dict[str, object] = {}
    for name in columns:
        cell = row.get(name)
        if name in list_columns:
            cells[name] = _list_of_text(cell)
        else:
            cells[name] = _cell_text(cell)
    return cells


def _cell_text(cell: object) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        raise _RefusedError(events.BAD_TYPE)
    text = cell if isinstance(cell, str) else repr(cell)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise _RefusedError(events.BAD_UTF8) from error
    return text


def _list_of_text(cell: object) -> list[str] | None:
    if cell is None:
        return None
    if isinstance(cell, list):
        return [text for part in cell if (text := _cell_text(part)) is not None]
    text = _cell_text(cell)
    return None if text is None else [text]
