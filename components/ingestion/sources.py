"""Divides the files of a source into units of work, reads them, and checks them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from components.ingestion import (
    blocks,
    locations,
    read_csv,
    read_jsonl,
    read_parquet,
    text_blocks,
)
from schema import errors, events

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
    """
    if file.format == locations.PARQUET:
        yield from read_parquet.read_blocks(stream, unit, columns, dictionary_columns)
        return
    lines = text_blocks.LineBlocks(
        text_blocks.content(stream, file.compressed, block_bytes), block_bytes
    )
    if file.format == locations.CSV:
        yield from read_csv.read_blocks(lines, columns)
    else:
        yield from read_jsonl.read_blocks(lines, columns, list_columns)
    if lines.damage is not None:
        tail = lines.damaged_tail.decode("utf-8", "replace")
        yield blocks.refusals_only(
            [blocks.Rejected(lines.line, events.TRUNCATED_FILE, tail)]
        )


def check_columns(
    files: Sequence[locations.SourceFile],
    required: Collection[str],
    key: str,
    list_columns: Collection[str] = (),
) -> None:
    """Raises if a readable file lacks a required column, or if none is readable.

    Args:
      files: the source.
      required: names of columns that every file must have.
      key: the setting to change, for the message.
      list_columns: those that may hold lists.

    Raises:
      InputError: names the file, the column, and the columns that it has.
    """
    readable = 0
    for file in files:
        found = column_types(file)
        if found is None:
            continue
        readable += 1
        for name in required:
            if name not in found:
                raise errors.InputError(
                    f"{file.path} has no column {name!r}, which the mapping of "
                    f"`{key}` reads; it has {', '.join(sorted(found)) or 'none'}. "
                    f"Name the right column in the mapping, or mend the file."
                )
            kind = found[name]
            nested = kind is not None and pa.types.is_nested(kind)
            if nested and name not in list_columns:
                raise errors.InputError(
                    f"{file.path}: column {name!r} holds {kind}; expected text or "
                    f"numbers. Name another column in the mapping of `{key}`."
                )
    if not readable:
        raise errors.InputError(
            f"{files[0].path} cannot be read, nor any other of the {len(files)} "
            f"files of the source; they are empty or damaged."
        )


def column_types(file: locations.SourceFile) -> dict[str, pa.DataType | None] | None:
    """Returns the columns of a file, with their types where the format has types.

    Returns None where nothing of the file can be read.

    Raises:
      InputError: the file does not exist or may not be read.
    """
    try:
        stream = locations.open_file(file.path)
    except OSError as error:
        raise errors.InputError(f"{file.path} cannot be opened: {error}") from error
    with stream:
        if file.format == locations.PARQUET:
            parquet = read_parquet.open_file(stream)
            if parquet is None:
                return None
            return {field.name: field.type for field in parquet.schema_arrow}
        lines = text_blocks.LineBlocks(
            text_blocks.content(stream, file.compressed, 2**16), 2**16
        )
        if file.format == locations.CSV:
            names = read_csv.header(lines)
        else:
            block = next(iter(lines), None)
            names = sorted(read_jsonl.sample_keys(block.data)) if block else []
        return dict.fromkeys(names) if names else None
