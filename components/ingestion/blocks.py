"""A block of rows, which every reader yields, and the lines that text rows come from.

A vectorised parser gives up on a whole block for one bad line. The price of a bad line
must be a slow stretch around it, not a slow block.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Rejected(NamedTuple):
    """One refused row."""

    position: int
    """Line number from 1 (text files) or row index from 0 (Parquet)."""
    reason: str
    """One of `schema.events`."""
    raw: str
    """The row as text, as far as it could be read."""
    rows: int = 1
    """How many rows it stands for; above 1 only for a damaged stretch."""


@dataclasses.dataclass(frozen=True)
class Block:
    """Consecutive rows of one file."""

    table: pa.Table
    """The raw columns that were asked for, of any Arrow type; columns that the file
    lacks are absent."""
    position: NDArray[np.int64]
    """[rows] int64, line number or row index of each row of the table."""
    raw_rows: Callable[[NDArray[np.int64]], list[str]]
    """Returns the texts of the rows at some indices into the table."""
    rejected: list[Rejected] = dataclasses.field(default_factory=list)
    """Rows that are not in the table because they could not be read."""


def refusals_only(rejected: list[Rejected]) -> Block:
    """Returns a block without rows."""
    return Block(pa.table({}), np.zeros(0, np.int64), lambda rows: [], rejected)


class Rows(NamedTuple):
    """Rows of some lines of a block."""

    table: pa.Table
    """Raw columns."""
    line: NDArray[np.int64]
    """[rows] int64 index of the line on which each row begins."""
    rejected: Sequence[Rejected] = ()
    """The refused lines; positions are line indices."""


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
    def begin(self) -> NDArray[np.int64]:
        """[lines + 1] int64, where each line begins, and the end of the block."""
        ends = self.positions(b"\n") + 1
        if len(self.data) and not self.data.endswith(b"\n"):
            ends = np.append(ends, len(self.data))
        return np.concatenate([[0], ends])

    def positions(self, character: bytes) -> NDArray[np.int64]:
        """Returns where a character stands, [n] int64."""
        if character not in self.data:
            return np.zeros(0, np.int64)
        return np.flatnonzero(np.frombuffer(self.data, np.uint8) == ord(character))

    def line_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the lines in which some positions lie."""
        return np.searchsorted(self.begin, positions, side="right") - 1

    def slice(self, begin: int, end: int) -> bytes:
        """Returns some lines with their line ends."""
        return self.data[self.begin[begin] : self.begin[end]]

    def select(self, chosen: NDArray[np.bool_]) -> bytes:
        """Returns the lines of a mask with their line ends."""
        kept = np.repeat(chosen, np.diff(self.begin))
        return np.frombuffer(self.data, np.uint8)[kept].tobytes()

    def content(self, line: int, num_lines: int = 1) -> bytes:
        """Returns a line, or several, without the last line end."""
        data = self.slice(line, line + num_lines)
        return data.removesuffix(b"\n").removesuffix(b"\r")

    @functools.cached_property
    def filled(self) -> NDArray[np.bool_]:
        """[lines] bool, whether the line holds anything."""
        characters = np.frombuffer(self.data, np.uint8)
        length = np.diff(self.begin)
        length = length - (characters[self.begin[1:] - 1] == ord("\n"))
        last = np.maximum(self.begin[:-1] + length - 1, 0)
        filled: NDArray[np.bool_] = length > (characters[last] == ord("\r"))
        return filled

    @functools.cached_property
    def quotes_before(self) -> NDArray[np.int64]:
        """[lines + 1] int64, number of quotes before each line."""
        return np.searchsorted(self.positions(b'"'), self.begin)

    @functools.cached_property
    def num_quotes(self) -> NDArray[np.int64]:
        """[lines] int64, number of quotes in each line."""
        return np.diff(self.quotes_before)


def as_text(line: bytes) -> str:
    """Returns a line, or several, as text for people."""
    return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")


def to_block(
    parts: Sequence[Rows], index: Lines, first_line: int, raw: dict[int, str]
) -> Block:
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
        return refusals_only(rejected)
    line = np.concatenate([part.line for part in filled])
    table = pa.concat_tables([part.table for part in filled])
    if (np.diff(line) < 0).any():
        order = np.argsort(line)
        line, table = line[order], table.take(pa.array(order))

    def raw_rows(rows: NDArray[np.int64]) -> list[str]:
        return [
            raw[at] if at in raw else as_text(index.content(at))
            for at in line[rows].tolist()
        ]

    return Block(table, line + first_line, raw_rows, rejected)
