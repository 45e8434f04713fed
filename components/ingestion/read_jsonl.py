"""Reads JSON Lines files into blocks: vectorised, and line by line around bad blocks.

Every line is one object. Numbers and text are both welcome as ids and as numbers: the
mapping casts them. A block of lines whose cells are of several types comes as several
blocks of one type a column each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyarrow import json as arrow_json

from components.ingestion import blocks, casting, json_rows, nested, text_blocks

# The parser refuses more than 100,000 rows at once.
_PARSER_BYTES = 2**20
# Below this a vectorised pass costs more than it saves.
_SLOW_LINES = 32


def read_blocks(
    source: text_blocks.LineBlocks,
    columns: Sequence[str],
    list_columns: Sequence[str] = (),
) -> Iterator[blocks.Block]:
    """Yields the rows of a JSON Lines file.

    Args:
      source: the file, at its first line.
      columns: keys to read; a key that a line lacks is null.
      list_columns: those of them that may hold a list.

    Yields:
      Blocks whose columns are `string`, `int64`, `double` or `bool`, or, of the list
      columns, a list of one of the first three. Their rows may lie between each other.
    """
    infer = functools.partial(
        json_rows.infer_columns, columns=columns, list_columns=list_columns
    )
    of_file = None
    for block in source:
        if of_file is None:
            of_file = infer(block.data)
        index = blocks.Lines(block.data)
        parts = _read_by_halves(
            0,
            len(index),
            functools.partial(_read_fast, index, of_file, infer),
            functools.partial(
                json_rows.read_lines, index, of_file.schema, list_columns
            ),
        )
        for alike in _by_schema(parts):
            yield blocks.to_block(alike, index, block.first_line, {})


def _by_schema(parts: Iterable[blocks.Rows]) -> Iterator[list[blocks.Rows]]:
    """Yields the parts whose columns are of the same types together."""
    groups: dict[pa.Schema, list[blocks.Rows]] = {}
    rejected = []
    for part in parts:
        if part.table.num_rows:
            groups.setdefault(part.table.schema, []).append(part)
        else:
            rejected.append(part)
    first, *others = groups.values() or [[]]
    yield first + rejected
    yield from others


def _read_by_halves(
    begin: int,
    end: int,
    fast: Callable[[int, int], blocks.Rows | None],
    slow: Callable[[int, int], Iterable[blocks.Rows]],
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
        yield from slow(begin, end)
    else:
        middle = (begin + end) // 2
        yield from _read_by_halves(begin, middle, fast, slow)
        yield from _read_by_halves(middle, end, fast, slow)


def _read_fast(
    index: blocks.Lines,
    of_file: json_rows.Columns,
    infer: Callable[[bytes], json_rows.Columns],
    begin: int,
    end: int,
) -> blocks.Rows | None:
    """Returns the rows, or None unless the cells of all lines are of the same types.

    The types of the file are tried first, then those of these lines.
    """
    data = index.slice(begin, end)
    table = _parsed(data, of_file)
    if table is None and end - begin > _SLOW_LINES:
        of_lines = infer(data)
        table = None if of_lines == of_file else _parsed(data, of_lines)
    if table is None:
        return None
    line = np.arange(begin, end)
    if table.num_rows != len(line):
        line = line[index.filled[begin:end]]
    return blocks.Rows(table, line) if table.num_rows == len(line) else None


def _parsed(data: bytes, columns: json_rows.Columns) -> pa.Table | None:
    if columns.stored is None:
        return None
    try:
        table = arrow_json.read_json(
            pa.BufferReader(data),
            read_options=arrow_json.ReadOptions(
                use_threads=False, block_size=_PARSER_BYTES
            ),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=columns.stored,
                newlines_in_values=False,
                unexpected_field_behavior="ignore",
            ),
        )
        table.validate(full=True)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    table = nested.select(table, columns.schema.names)
    return table if _is_exact(table) else None


def _is_exact(table: pa.Table) -> bool:
    """Returns whether no number may have lost digits on its way to a double."""
    for column in table.columns:
        if pa.types.is_list(column.type):
            column = compute.list_flatten(column)
        if pa.types.is_floating(column.type) and len(column):
            large = compute.greater_equal(compute.abs(column), casting.EXACT_INTEGERS)
            if compute.any(large).as_py():
                return False
    return True
