"""Reads Parquet files into blocks, some row groups at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from components.ingestion import blocks, nested
from schema import events, untrusted_parquet

untrusted_parquet.forbid_code()
BATCH_ROWS = 2**19
_MAGIC = b"PAR1"
_HARMFUL_TYPES = ("fixed_size_list", "string_view", "binary_view", "list_view")
# The length of the footer, and the magic bytes.
_TAIL_BYTES = 8


class RowGroups(NamedTuple):
    """Consecutive row groups of a file, one unit of work."""

    begin: int
    """Index of the first row group."""
    end: int
    """Index after the last one."""
    first_row: int
    """Row index of the first row."""


def open_file(
    stream: BinaryIO, dictionary_columns: Sequence[str] = ()
) -> parquet.ParquetFile | None:
    """Returns the open Parquet file, or None where its footer cannot be read.

    Args:
      stream: the file.
      dictionary_columns: columns that stay dictionary-encoded if they are text.
    """
    try:
        file = _readable(stream)
        types = {field.name: field.type for field in file.schema_arrow}
        text = [
            name
            for name in dictionary_columns
            if name in types and _is_text(types[name])
        ]
        if not text:
            return file
        return parquet.ParquetFile(stream, metadata=file.metadata, read_dictionary=text)
    except (pa.ArrowException, OSError):
        return None


def _readable(stream: BinaryIO) -> parquet.ParquetFile:
    """Returns the open file, without the Arrow types where they do harm.

    Writers leave a schema of Arrow types beside that of Parquet. Arrow does not know
    types that are newer than itself, casts little of views, and cannot read null among
    lists of a fixed size; Parquet's own types are read as text and lists.
    """
    try:
        file = parquet.ParquetFile(stream)
        kinds = " ".join(str(field.type) for field in file.schema_arrow)
        if not any(kind in kinds for kind in _HARMFUL_TYPES):
            return file
    except (pa.ArrowException, OSError):
        pass
    stream.seek(0, os.SEEK_END)
    end = max(stream.tell() - _TAIL_BYTES, 0)
    stream.seek(end)
    length = int.from_bytes(stream.read(_TAIL_BYTES)[:4], "little")
    stream.seek(max(end - length, 0))
    footer = stream.read(length + _TAIL_BYTES)
    # Of the same length, so that the footer stays what it is.
    footer = footer.replace(b"ARROW:schema", b"arrow_schema")
    metadata = parquet.read_metadata(pa.BufferReader(_MAGIC + footer))
    return parquet.ParquetFile(stream, metadata=metadata)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def units(file: parquet.ParquetFile, unit_rows: int = BATCH_ROWS) -> list[RowGroups]:
    """Returns the row groups of a file in runs of about `unit_rows` rows."""
    result: list[RowGroups] = []
    begin = first_row = rows = 0
    metadata = file.metadata
    for group in range(metadata.num_row_groups):
        rows += metadata.row_group(group).num_rows
        if rows >= unit_rows:
            result.append(RowGroups(begin, group + 1, first_row))
            begin, first_row, rows = group + 1, first_row + rows, 0
    if rows:
        result.append(RowGroups(begin, metadata.num_row_groups, first_row))
    return result


def read_blocks(
    stream: BinaryIO,
    unit: RowGroups | None,
    columns: Sequence[str],
    dictionary_columns: Sequence[str] = (),
    batch_rows: int = BATCH_ROWS,
) -> Iterator[blocks.Block]:
    """Yields the rows of some row groups.

    Args:
      stream: the file.
      unit: which row groups; None: all.
      columns: names to read; those that the file lacks are left out.
      dictionary_columns: text columns that are kept dictionary-encoded.
      batch_rows: most rows in one block.

    Yields:
      Blocks with the file's own column types. A file or row group that cannot be
      read yields a refusal that stands for its rows.
    """
    file = open_file(stream, dictionary_columns)
    if file is None:
        yield blocks.refusals_only(
            [blocks.Rejected(0, events.TRUNCATED_FILE, "the footer is unreadable")]
        )
        return
    types = {field.name: field.type for field in file.schema_arrow}
    names = [name for name in columns if nested.find_type(types, name)]
    stored = list({nested.locate(name, types)[0]: None for name in names})
    unit = unit or RowGroups(0, file.num_row_groups, 0)
    if unit.end - unit.begin > 1:
        try:
            table = file.read_row_groups(list(range(unit.begin, unit.end)), stored)
            yield _block(nested.select(table, names), unit.first_row)
            return
        except (pa.ArrowException, OSError):
            pass  # one group at a time keeps what the others hold
    row = unit.first_row
    for group in range(unit.begin, unit.end):
        num_rows = file.metadata.row_group(group).num_rows
        done = 0
        try:
            batches = file.iter_batches(batch_rows, row_groups=[group], columns=stored)
            for batch in batches:
                table = pa.Table.from_batches([batch])
                yield _block(nested.select(table, names), row + done)
                done += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            yield blocks.refusals_only(
                [
                    blocks.Rejected(
                        row + done, events.TRUNCATED_FILE, str(error), num_rows - done
                    )
                ]
            )
        row += num_rows


def _block(table: pa.Table, first_row: int) -> blocks.Block:
    def raw_rows(rows: NDArray[np.int64]) -> list[str]:
        taken = table.take(pa.array(rows)).to_pylist()
        return [json.dumps(row, default=str) for row in taken]

    position = np.arange(first_row, first_row + table.num_rows, dtype=np.int64)
    return blocks.Block(table, position, raw_rows)
