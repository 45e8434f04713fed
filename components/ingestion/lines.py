"""The lines of a block of text: where they are, and how to read around bad ones.

A vectorised parser gives up on a whole block for one bad line. The price of a bad line
must be a slow stretch around it, not a slow block.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.ingestion import blocks

# Below this a vectorised pass costs more than it saves.
_SLOW_LINES = 32


class Rows(NamedTuple):
    """Rows of some lines of a block.

    Attributes:
      table: raw columns.
      line: [rows] int64 index of the line on which each row begins.
      rejected: the refused lines; positions are line indices.
    """

    table: pa.Table
    line: np.ndarray
    rejected: Sequence[blocks.Rejected] = ()


class Lines:
    """Index of the lines of a block.

    Attributes:
      data: the block.
    """

    def __init__(self, data: bytes):
        """Finds the line ends when they are first asked for."""
        self.data = data

    def __len__(self) -> int:
        return len(self.begin) - 1

    @functools.cached_property
    def begin(self) -> np.ndarray:
        """[lines + 1] int64, where each line begins, and the end of the block."""
        ends = self.positions(b"\n") + 1
        if len(self.data) and not self.data.endswith(b"\n"):
            ends = np.append(ends, len(self.data))
        return np.concatenate([[0], ends])

    def positions(self, character: bytes) -> np.ndarray:
        """Returns where a character stands, [n] int64."""
        if character not in self.data:
            return np.zeros(0, np.int64)
        return np.flatnonzero(np.frombuffer(self.data, np.uint8) == ord(character))

    def line_of(self, positions: np.ndarray) -> np.ndarray:
        """Returns the lines in which some positions lie."""
        return np.searchsorted(self.begin, positions, side="right") - 1

    def slice(self, begin: int, end: int) -> bytes:
        """Returns some lines with their line ends."""
        return self.data[self.begin[begin] : self.begin[end]]

    def select(self, chosen: np.ndarray) -> bytes:
        """Returns the lines of a mask with their line ends."""
        kept = np.repeat(chosen, np.diff(self.begin))
        return np.frombuffer(self.data, np.uint8)[kept].tobytes()

    def content(self, line: int, num_lines: int = 1) -> bytes:
        """Returns a line, or several, without the last line end."""
        data = self.slice(line, line + num_lines)
        return data.removesuffix(b"\n").removesuffix(b"\r")

    @functools.cached_property
    def filled(self) -> np.ndarray:
        """[lines] bool, whether the line holds anything."""
        characters = np.frombuffer(self.data, np.uint8)
        length = np.diff(self.begin)
        length = length - (characters[self.begin[1:] - 1] == ord("\n"))
        last = np.maximum(self.begin[:-1] + length - 1, 0)
        return length - (characters[last] == ord("\r")) > 0

    @functools.cached_property
    def quotes_before(self) -> np.ndarray:
        """[lines + 1] int64, number of quotes before each line."""
        return np.searchsorted(self.positions(b'"'), self.begin)

    @functools.cached_property
    def num_quotes(self) -> np.ndarray:
        """[lines] int64, number of quotes in each line."""
        return np.diff(self.quotes_before)


def read_by_halves(
    begin: int,
    end: int,
    fast: Callable[[int, int], Rows | None],
    slow: Callable[[int, int], Rows],
) -> Iterator[Rows]:
    """Yields the rows of lines that are independent of each other, in order.

    A range that cannot be read at once is read in halves, down to a few lines.

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
        yield from read_by_halves(begin, middle, fast, slow)
        yield from read_by_halves(middle, end, fast, slow)


def as_text(line: bytes) -> str:
    """Returns a line, or several, as text for people."""
    return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")


def to_block(
    parts: Sequence[Rows], index: Lines, first_line: int, raw: dict[int, str]
) -> blocks.Block:
    """Returns the rows of all parts as a block.

    Args:
      parts: in any order; no two of the same line.
      index: the block's lines.
      first_line: number of the block's first line in its file.
      raw: text of rows that span several lines, by their first line.
    """
    filled = [part for part in parts if part.table.num_rows]
    rejected = [
        refused._replace(position=refused.position + first_line)
        for part in parts
        for refused in part.rejected
    ]
    if not filled:
        return blocks.refusals_only(rejected)
    line = np.concatenate([part.line for part in filled])
    table = pa.concat_tables([part.table for part in filled])
    if (np.diff(line) < 0).any():
        order = np.argsort(line)
        line, table = line[order], table.take(pa.array(order))

    def raw_rows(rows: np.ndarray) -> list[str]:
        return [
            raw[at] if at in raw else as_text(index.content(at))
            for at in line[rows].tolist()
        ]

    return blocks.Block(table, line + first_line, raw_rows, rejected)
