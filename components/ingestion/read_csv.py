"""Reads CSV files into blocks: vectorised, and line by line around bad blocks.

A row is one line. It may be several where the first has an odd number of quotes, so
that a cell goes on. A line whose quote never closes, or that has another number of
cells than the header, is refused alone; its neighbours stay.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from components.ingestion import blocks, text_blocks
from schema import events

# An open quote is given up after so many lines: it is a slip, not a long text.
_MAX_LINES_A_ROW = 100


class HeaderError(Exception):
    """The first line of a file is no header: what it is, and what to change."""


def header(source: text_blocks.LineBlocks) -> list[str]:
    """Returns the column names, which are the first line; [] for an empty file.

    Raises:
      HeaderError: the first line cannot be one of names.
    """
    line = source.first_line().decode("utf-8", "replace")
    if begins := source.too_long.get(1):
        raise HeaderError(f"is {begins}", "end its lines, or raise the limit")
    if "\0" in line:
        raise HeaderError("holds zero bytes", "save it as UTF-8")
    try:
        names = next(csv.reader([line]), [])
    except csv.Error as error:
        raise HeaderError(
            "ends with a carriage return alone",
            "end lines with a line feed, as `tr '\\r' '\\n'` does",
        ) from error
    if not line.strip() and source.has_more():
        raise HeaderError("is blank", "remove the lines before the column names")
    if len(names) <= 1 and line.startswith("#"):
        raise HeaderError("is a comment", "remove the lines before the column names")
    return names if line else []


def read_blocks(
    source: text_blocks.LineBlocks, columns: Sequence[str]
) -> Iterator[blocks.Block]:
    """Yields the rows of a CSV file as columns of text.

    Args:
      source: the file, at its first line.
      columns: names to read; those that the header lacks are left out.

    Yields:
      Blocks whose columns are `binary`; empty text where a cell is empty.
    """
    # A long cell is data; the reader's default limit would call it an error.
    csv.field_size_limit(sys.maxsize)
    names = header(source)
    wanted = {name: names.index(name) for name in columns if name in names}
    for block in source:
        reader = _BlockReader(block, len(names), wanted)
        yield reader.read(source)


class _BlockReader:
    """Reads one block: all of it at once, or its sound lines at once, the rest singly.

    The vectorised parser must be called rarely: under Python 3.10 every call walks the
    interpreter's heap (about 10 ms in a small process, more beside TensorFlow).
    """

    def __init__(
        self, block: text_blocks.LineBlock, num_cells: int, wanted: dict[str, int]
    ):
        self._block = block
        self._lines = blocks.Lines(block.data)
        self._num_cells = num_cells
        self._wanted = wanted
        self._raw: dict[int, str] = {}

    def read(self, source: text_blocks.LineBlocks) -> blocks.Block:
        """Returns the rows; an unfinished one at the end goes back to the source."""
        whole = self._fast(self._block.data, np.arange(len(self._lines)))
        parts = [whole] if whole else self._parts(source)
        return blocks.to_block(parts, self._lines, self._block.first_line, self._raw)

    def _parts(self, source: text_blocks.LineBlocks) -> list[blocks.Rows]:
        single, parts = self._rows_over_lines(source)
        sound = single & self._lines.filled & self._is_sound()
        slow = single & ~sound
        quoted = self._lines.num_quotes > 0
        # Quotes at odd places can still mislead; lines without any cannot.
        for attempt in (sound, sound & ~quoted):
            line = np.flatnonzero(attempt)
            rows = self._fast(self._lines.select(attempt), line)
            if rows is not None:
                return [*parts, rows, self._slow(single & ~attempt)]
        return [*parts, self._slow(slow | sound)]

    def _is_sound(self) -> NDArray[np.bool_]:
        """Returns which lines look like one row of the right width."""
        index = self._lines
        separators = index.positions(b",")
        quotes_before = np.searchsorted(index.positions(b'"'), separators)
        line = index.line_of(separators)
        outside = (quotes_before - index.quotes_before[line]) % 2 == 0
        num_cells = np.bincount(line[outside], minlength=len(index)) + 1
        sound: NDArray[np.bool_] = num_cells == self._num_cells
        sound &= index.num_quotes % 2 == 0
        sound[index.line_of(index.positions(b"\0"))] = False
        returns = index.positions(b"\r")
        at_end = index.begin[index.line_of(returns) + 1] - 2
        sound[index.line_of(returns[returns < at_end])] = False
        return sound

    def _rows_over_lines(
        self, source: text_blocks.LineBlocks
    ) -> tuple[NDArray[np.bool_], list[blocks.Rows]]:
        """Returns which lines are left to be rows by themselves, and longer rows."""
        single = np.ones(len(self._lines), bool)
        found = []
        begin = 0
        for first in np.flatnonzero(self._lines.num_quotes % 2).tolist():
            if first < begin:
                continue  # it closes a row that began before
            num_lines = self._lines_of_row(first)
            if num_lines == 0:
                rest = self._lines.slice(first, len(self._lines))
                source.carry_over(rest, len(self._lines) - first)
                single[first:] = False
                break
            begin = first + num_lines
            if num_lines > 1:
                single[first:begin] = False
                row = self._lines.content(first, num_lines)
                self._raw[first] = blocks.as_text(row)
                cells, _ = self._parse(row, strict=True)
                found.append(blocks.Rows(self._table([cells]), np.array([first])))
        return single, found

    def _lines_of_row(self, first: int) -> int:
        """Returns how many lines the row has that starts on a line with an open quote.

        Returns 1 if it is no longer row after all, 0 if the next block may tell.
        """
        if not self._parse(self._lines.content(first))[1]:
            return 1  # a quote inside a cell, as in 5" tall
        odd = self._lines.num_quotes[first + 1 : first + _MAX_LINES_A_ROW] % 2
        later = np.flatnonzero(odd)
        if len(later):
            num_lines = int(later[0]) + 2
            # Strictly: a stray quote must not swallow lines up to another quote.
            row = self._lines.content(first, num_lines)
            return 1 if self._parse(row, strict=True)[1] else num_lines
        seen = len(self._lines) - first
        return 1 if self._block.last or seen >= _MAX_LINES_A_ROW else 0

    def _fast(self, data: bytes, line: NDArray[np.int64]) -> blocks.Rows | None:
        """Returns the rows, or None unless every filled line is a well-formed row."""
        if not self._num_cells or b"\0" in data:
            return None
        if data.count(b"\r") != data.count(b"\r\n"):
            return None  # the parser takes a lone one for a line end
        last = next(filter(None, map(self._lines.content, line[::-1])), b"")
        if b'"' in last and self._parse(last)[1]:
            return None  # at the end the parser lets an open quote pass
        # Positional names: a header may repeat a name.
        cells = [str(i) for i in range(self._num_cells)]
        used = [cells[i] for i in self._wanted.values()]
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(data),
                read_options=arrow_csv.ReadOptions(
                    column_names=cells, use_threads=False, block_size=len(data) + 1
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={cell: pa.binary() for cell in used},
                    include_columns=used,
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != len(line):
            line = line[self._lines.filled[line]]
        if table.num_rows != len(line):
            return None  # line ends inside quotes
        return blocks.Rows(table.rename_columns(list(self._wanted)), line)

    def _slow(self, chosen: NDArray[np.bool_]) -> blocks.Rows:
        rows, line, rejected = [], [], []
        for at in np.flatnonzero(chosen & self._lines.filled).tolist():
            content = self._lines.content(at)
            cells, reason = self._parse(content)
            if reason:
                text = blocks.as_text(content)
                rejected.append(blocks.Rejected(at, reason, text))
            else:
                rows.append(cells)
                line.append(at)
        return blocks.Rows(self._table(rows), np.array(line, np.int64), rejected)

    def _table(self, rows: list[list[str]]) -> pa.Table:
        return pa.table(
            {
                name: pa.array(
                    [row[i].encode("utf-8", "surrogateescape") for row in rows],
                    pa.binary(),
                )
                for name, i in self._wanted.items()
            }
        )

    def _parse(self, row: bytes, strict: bool = False) -> tuple[list[str], str]:
        """Returns the cells of one row, and why it is refused, or "".

        Args:
          row: its bytes, without the last line end.
          strict: nothing may follow a closing quote but the end of the cell.
        """
        text = row.decode("utf-8", "surrogateescape")
        if "\0" in text:
            return [], events.BAD_CSV
        # Not str.splitlines: it also splits at characters that are data here.
        physical = [f"{line}\n" for line in text.split("\n")]
        try:
            # Whatever follows an open quote becomes part of its cell.
            *parsed, end = csv.reader([*physical, "end\n"], strict=strict)
        except csv.Error:
            return [], events.BAD_CSV
        if end != ["end"]:
            cells = end if not parsed else []
            wrong = len(parsed) > 0 or len(cells) != self._num_cells
            return [], events.WRONG_CELL_COUNT if wrong else events.BAD_CSV
        if len(parsed) != 1 or len(parsed[0]) != self._num_cells:
            return [], events.WRONG_CELL_COUNT
        return parsed[0], ""
