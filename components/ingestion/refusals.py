"""Collects why rows are refused, and reads ids as events and items do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import column_types, dictionaries
from schema import events


class Reasons:
    """Collects why rows are refused; the first reason given to a row stays."""

    def __init__(self, num_rows: int):
        self.names: list[str] = [""]
        self.code = np.zeros(num_rows, np.uint8)

    def add(self, reason: str, rows: NDArray[np.bool_]) -> None:
        """Gives the rows of a mask a reason, unless they have one."""
        if rows.any():
            self.names.append(reason)
            self.code[rows & (self.code == 0)] = len(self.names) - 1

    def rejected(self) -> NDArray[np.int64]:
        """Returns the indices of the refused rows."""
        return np.flatnonzero(self.code)

    def of(self, row: int) -> str:
        """Returns the reason of one row, "" if it is good."""
        return self.names[int(self.code[row])]


def refuse_unfit(table: pa.Table, uses: column_types.Uses, reasons: Reasons) -> None:
    """Refuses rows with a cell of a type that a column cannot be read as.

    Args:
      table: raw columns; some may be absent.
      uses: what the columns are read as.
      reasons: takes up the refusals.
    """
    for name, use in uses:
        if name in table.column_names and not column_types.fits(table[name].type, use):
            reasons.add(events.BAD_TYPE, np.asarray(table[name].is_valid()))


def identifiers(
    column: pa.ChunkedArray, reasons: Reasons, missing: str, bad: str, newline: str
) -> tuple[NDArray[np.int32], pa.Array]:
    """Returns ids as codes into distinct texts, and refuses rows without a usable one.

    Args:
      column: raw ids of any type.
      reasons: takes up the refusals.
      missing: reason of rows without an id.
      bad: reason of ids that are no text.
      newline: reason of ids with line ends, which no vocabulary file can hold.

    Returns:
      [rows] int32 codes, -1 where missing, and the distinct ids.
    """
    ids = dictionaries.texts(column)
    reasons.add(missing, ids.codes < 0)
    for reason, distinct in (
        (bad, ids.bad),
        (newline, np.asarray(compute.match_substring_regex(ids.values, r"[\r\n]"))),
    ):
        if distinct.any():
            reasons.add(reason, np.append(distinct, False)[ids.codes])
    return ids.codes, ids.values
