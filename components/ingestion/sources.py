"""Divides the files of a source into units of work, and reads them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from components.ingestion import (
    blocks,
    locations,
    read_csv,
    read_jsonl,
    read_parquet,
    text_blocks,
)
from schema import events

Unit = tuple[locations.SourceFile, read_parquet.RowGroups | None]
"""A file, and which row groups of it; None: all of the file."""


def list_units(file: locations.SourceFile) -> list[Unit]:
    """Returns the units of work of a file: runs of row groups, or the file."""
    if file.format != locations.PARQUET:
        return [(file, None)]
    with locations.open_file(file.path) as stream:
        parquet = read_parquet.open_file(stream)
        if parquet is None:
            return [(file, None)]
        return [(file, unit) for unit in read_parquet.units(parquet)]


def read_blocks(
    stream: BinaryIO,
    file: locations.SourceFile,
    unit: read_parquet.RowGroups | None,
    columns: Sequence[str],
    list_columns: Sequence[str] = (),
    dictionary_columns: Sequence[str] = (),
    block_bytes: int = text_blocks.BLOCK_BYTES,
    limits: text_blocks.Limits = text_blocks.DEFAULT_LIMITS,
) -> Iterator[blocks.Block]:
    """Yields the rows of a file, or of some of its row groups.

    Args:
      stream: the open file.
      file: its format and compression.
      unit: row groups of a Parquet file; None: all of it.
      columns: names to read; those that the file lacks are left out.
      list_columns: those that may hold lists (JSON Lines).
      dictionary_columns: those that stay dictionary-encoded (Parquet).
      block_bytes: about how much text is parsed at once.
      limits: of text.
    """
    if file.format == locations.PARQUET:
        yield from read_parquet.read_blocks(stream, unit, columns, dictionary_columns)
        return
    lines = text_blocks.LineBlocks(
        text_blocks.content(stream, file.compressed, block_bytes, limits),
        block_bytes,
        limits,
    )
    found = (
        read_csv.read_blocks(lines, columns)
        if file.format == locations.CSV
        else read_jsonl.read_blocks(lines, columns, list_columns)
    )
    for block in found:
        yield _naming_long_lines(block, lines.too_long)
    if lines.damage is not None:
        tail = lines.damaged_tail.decode("utf-8", "replace")
        last = blocks.refusals_only(
            [blocks.Rejected(lines.line, events.TRUNCATED_FILE, tail)]
        )
        yield _naming_long_lines(last, lines.too_long)


def _naming_long_lines(
    block: blocks.Block, too_long: Mapping[int, str]
) -> blocks.Block:
    """Returns the block; lines that came as a zero byte are refused for their length.

    Args:
      block: as it was read.
      too_long: number of such a line to what is said of it.
    """
    if not too_long:
        return block
    refused = [
        row._replace(reason=events.LINE_TOO_LONG, raw=too_long[row.position])
        if row.position in too_long
        else row
        for row in block.rejected
    ]
    return dataclasses.replace(block, rejected=refused)
