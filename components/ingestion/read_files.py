"""Reads the files of a source as mapped rows, the first step of both Beam paths."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.ingestion import (
    blocks,
    column_types,
    counts,
    dead_letters,
    locations,
    refusals,
    sources,
    text_blocks,
)

PIECES, COUNTS, REJECTED = "pieces", "counts", "rejected"
"""Tags of outputs: what goes to the next step, `counts.Counts`, and what
`dead_letters.WriteLetters` takes."""
Rows = TypeVar("Rows")


class ReadRows(beam.DoFn, Generic[Rows]):
    """Reads a unit of a source; a subclass says what the rows are.

    Yields what `pieces` yields, and counts and dead letters on outputs of their own.
    """

    name: str
    """Of the rows in the counts, as in `events_read`."""

    def __init__(
        self,
        uses: column_types.Uses,
        block_bytes: int,
        dictionary_columns: Sequence[str] = (),
        limits: text_blocks.Limits = text_blocks.DEFAULT_LIMITS,
    ):
        """Keeps what is read, and arguments of `sources.read_blocks`."""
        self._columns = list(dict.fromkeys(name for name, _ in uses))
        self._list_columns = [name for name, use in uses if use == column_types.TEXTS]
        self._block_bytes = block_bytes
        self._limits = limits
        self._dictionary_columns = dictionary_columns

    def map_rows(self, table: pa.Table) -> tuple[Rows, refusals.Reasons]:
        """Returns all rows of raw columns as canonical ones, and which are refused."""
        raise NotImplementedError

    def pieces(
        self,
        rows: Rows,
        is_good: NDArray[np.bool_],
        file: locations.SourceFile,
        block: blocks.Block,
    ) -> Iterator[Any]:
        """Yields the good rows in the pieces that go to the next step."""
        raise NotImplementedError

    def process(self, unit: sources.Unit) -> Iterator[Any]:
        """Yields pieces, counts and dead letters."""
        file, row_groups = unit
        with locations.open_file(file.path) as stream:
            for block in sources.read_blocks(
                stream,
                file,
                row_groups,
                self._columns,
                self._list_columns,
                self._dictionary_columns,
                self._block_bytes,
                self._limits,
            ):
                yield from self._process(file, block)

    def _process(
        self, file: locations.SourceFile, block: blocks.Block
    ) -> Iterator[Any]:
        num_rows = block.table.num_rows
        rows, reasons = None, refusals.Reasons(0)
        if num_rows:
            rows, reasons = self.map_rows(block.table)
        refused = dead_letters.refused_rows(block, reasons)
        found: counts.Counts = {
            f"{self.name}_read": num_rows + sum(row.rows for row in block.rejected)
        }
        if refused:
            found[f"{self.name}_rejected"] = dead_letters.count_by_reason(refused)
            letters = dead_letters.compressed((file.path, row) for row in refused)
            yield beam.pvalue.TaggedOutput(
                REJECTED, (file.index, (refused[0].position, letters))
            )
        yield beam.pvalue.TaggedOutput(COUNTS, found)
        if rows is not None:
            yield from self.pieces(rows, reasons.code == 0, file, block)


@dataclasses.dataclass(eq=False)
class ReadFiles(beam.PTransform):
    """Spreads the units of some files over the workers, which read them."""

    files: Sequence[locations.SourceFile]
    """The source."""
    read: ReadRows[Any]
    """How they are read."""
    tags: tuple[str, ...] = ()
    """Outputs of `read` beside those of all."""

    def expand(self, pipeline: beam.Pipeline) -> beam.pvalue.DoOutputsTuple:
        """Returns the outputs `PIECES`, `COUNTS`, `REJECTED`, and those of the tags."""
        return (
            pipeline
            | "Files" >> beam.Create(self.files)
            | "ListUnits" >> beam.FlatMap(sources.list_units)
            | "SpreadUnits" >> beam.Reshuffle()
            | "Read"
            >> beam.ParDo(self.read).with_outputs(
                COUNTS, REJECTED, *self.tags, main=PIECES
            )
        )
