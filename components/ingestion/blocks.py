"""What every reader yields: a table of raw columns, and the rows it had to refuse."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa


class Rejected(NamedTuple):
    """One refused row.

    Attributes:
      position: line number from 1 (text files) or row index from 0 (Parquet).
      reason: one of `schema.events`.
      raw: the row as text, as far as it could be read.
      rows: how many rows it stands for; above 1 only for a damaged stretch.
    """

    position: int
    reason: str
    raw: str
    rows: int = 1


@dataclasses.dataclass(frozen=True)
class Block:
    """Consecutive rows of one file.

    Attributes:
      table: the raw columns that were asked for, of any Arrow type; columns that the
        file lacks are absent.
      position: [rows] int64, line number or row index of each row of the table.
      raw_rows: returns the texts of the rows at some indices into the table.
      rejected: rows that are not in the table because they could not be read.
    """

    table: pa.Table
    position: np.ndarray
    raw_rows: Callable[[np.ndarray], list[str]]
    rejected: list[Rejected] = dataclasses.field(default_factory=list)


def refusals_only(rejected: list[Rejected]) -> Block:
    """Returns a block without rows."""
    return Block(pa.table({}), np.zeros(0, np.int64), lambda rows: [], rejected)
