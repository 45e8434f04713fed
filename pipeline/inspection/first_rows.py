"""Reads the first rows of a source, and what a whole catalogue has of some ids."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from components.ingestion import (
    blocks,
    check_columns,
    column_types,
    dictionaries,
    json_rows,
    locations,
    read_parquet,
    sources,
    text_blocks,
)
from schema import errors

_TEXT_BLOCK_BYTES = 2**20
_JSON_KINDS = {
    str: "text",
    int: "number",
    float: "number",
    bool: "truth value",
    list: "list",
    dict: "object",
}


class Source(NamedTuple):
    """Some files, and the columns of the first one that can be read."""

    files: list[locations.SourceFile]
    first: locations.SourceFile
    columns: list[check_columns.Column]
    limits: text_blocks.Limits = text_blocks.DEFAULT_LIMITS
    """Of text."""


def find(location: str, key: str, limits: text_blocks.Limits) -> Source:
    """Returns the files of a location on this machine.

    Raises:
      InputError: nothing is there, or nothing of it can be read.
    """
    if locations.is_remote(location):
        raise errors.InputError(
            f"`{key}` = {location!r} lies elsewhere; `heed inspect` reads files on "
            f"this machine: copy one of them."
        )
    files = locations.local_files(location, key)
    for file in files:
        columns = check_columns.columns_of(file, limits)
        if columns:
            return Source(files, file, columns, limits)
    raise errors.InputError(
        f"{files[0].path} cannot be read, nor any other of the {len(files)} files of "
        f"`{key}`; they are empty or damaged."
    )


class Look(NamedTuple):
    """The beginning of one column."""

    name: str
    """Its name, or that of a field, as in `genres.name`."""
    kind: str
    """Its type, for people."""
    cells: pa.ChunkedArray
    """Its first cells."""


def look(source: Source) -> list[Look]:
    """Returns the beginning of every column of a source, used or not."""
    if source.first.format == locations.JSON_LINES:
        with locations.open_file(source.first.path) as stream:
            limits = source.limits
            pieces = text_blocks.content(
                stream, source.first.compressed, _TEXT_BLOCK_BYTES, limits
            )
            lines = text_blocks.LineBlocks(pieces, _TEXT_BLOCK_BYTES, limits)
            start = next(iter(lines), None)
            return _json_looks(json_rows.sample(start.data if start else b""))
    names = _flat_names(source.columns)
    block = read(source, [(name, column_types.TEXT) for name in names], 1_000)[0]
    return [
        Look(name, _kind(block.table[name].type), block.table[name])
        for name in names
        if name in block.table.column_names
    ]


def _kind(kind: pa.DataType) -> str:
    return "text" if kind in (pa.binary(), pa.string()) else str(kind)


def _json_looks(rows: list[dict[str, Any]]) -> list[Look]:
    cells: dict[str, list[Any]] = {}
    for row in rows:
        for name, cell in row.items():
            parts = cell if isinstance(cell, list) else [cell]
            objects = [part for part in parts if isinstance(part, dict)]
            if not objects:
                cells.setdefault(name, []).append(cell)
            for part in objects:
                for field, value in part.items():
                    cells.setdefault(f"{name}.{field}", []).append(value)
    looks = []
    for name, column in cells.items():
        kinds = {_JSON_KINDS[type(cell)] for cell in column if cell is not None}
        texts = [
            None
            if cell is None
            else cell
            if isinstance(cell, str)
            else json.dumps(cell)
            for cell in column
        ]
        array = pa.chunked_array([pa.array(texts, pa.string())])
        looks.append(Look(name, " or ".join(sorted(kinds)), array))
    return looks


def read(source: Source, uses: column_types.Uses, num_rows: int) -> list[blocks.Block]:
    """Returns the first rows of a source in blocks, at least as many as asked for.

    Args:
      source: its first file that can be read, of any format.
      uses: columns, and what they are read as.
      num_rows: rows after which no further block is read.
    """
    found: list[blocks.Block] = []
    rows = 0
    for block in _blocks(source.first, uses, num_rows, source.limits):
        found.append(block)
        rows += block.table.num_rows + len(block.rejected)
        if rows >= num_rows:
            break
    return found or [blocks.refusals_only([])]


def _blocks(
    file: locations.SourceFile,
    uses: column_types.Uses,
    num_rows: int,
    limits: text_blocks.Limits,
) -> Iterator[blocks.Block]:
    names = list(dict.fromkeys(name for name, _ in uses))
    lists = [name for name, use in uses if use == column_types.TEXTS]
    with locations.open_file(file.path) as stream:
        if file.format != locations.PARQUET:
            yield from sources.read_blocks(
                stream,
                file,
                None,
                names,
                lists,
                block_bytes=_TEXT_BLOCK_BYTES,
                limits=limits,
            )
            return
        row = 0
        parquet = read_parquet.open_file(stream)
        for group in range(parquet.num_row_groups if parquet else 0):
            # One row group at a time comes in batches of the size asked for.
            unit = read_parquet.RowGroups(group, group + 1, row)
            for block in read_parquet.read_blocks(
                stream, unit, names, batch_rows=num_rows
            ):
                row += block.table.num_rows + sum(bad.rows for bad in block.rejected)
                yield block


def known_share(
    source: Source, id_column: str, wanted: pa.Array, max_rows: int
) -> tuple[int, int, bool]:
    """Returns how many ids a catalogue holds.

    Args:
      source: the catalogue.
      id_column: its column of ids.
      wanted: distinct ids, string.
      max_rows: rows after which it is given up.

    Returns:
      How many of the wanted ids were met, how many rows were read, and whether those
      were all.
    """
    missing = np.ones(len(wanted), bool)
    rows = 0
    parts = itertools.chain.from_iterable(
        _blocks(file, [(id_column, column_types.TEXT)], max_rows, source.limits)
        for file in source.files
    )
    for block in parts:
        if id_column not in block.table.column_names:
            continue
        ids = dictionaries.texts(block.table[id_column]).values
        missing &= ~np.asarray(compute.is_in(wanted, value_set=ids))
        rows += block.table.num_rows
        if rows >= max_rows:
            return len(wanted) - int(missing.sum()), rows, False
    return len(wanted) - int(missing.sum()), rows, True


def _flat_names(columns: Sequence[check_columns.Column]) -> list[str]:
    """Returns the columns, and the fields of structs in their place."""
    names = []
    for name, kind in columns:
        inner = kind
        if kind is not None and column_types.is_list(kind):
            inner = kind.value_type
        if inner is not None and pa.types.is_struct(inner):
            names += [f"{name}.{inner.field(i).name}" for i in range(inner.num_fields)]
        else:
            names.append(name)
    return names
