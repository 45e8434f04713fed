"""Looks at headers and schemas before a row is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa

from components.ingestion import (
    column_types,
    json_rows,
    locations,
    nested,
    read_csv,
    read_parquet,
    text_blocks,
)
from schema import errors


class Column(NamedTuple):
    """A column of a file."""

    name: str
    """Its name."""
    kind: pa.DataType | None
    """Its type; None where the format has no types."""


def check(
    files: Sequence[locations.SourceFile],
    uses: column_types.Uses,
    required: Collection[str],
    key: str,
    limits: text_blocks.Limits = text_blocks.DEFAULT_LIMITS,
) -> None:
    """Raises if a readable file cannot be what it is read as, or if none is readable.

    Args:
      files: the source.
      uses: the columns that are read where a file has them.
      required: names of columns that every file must have.
      key: the setting to change, for the message.
      limits: of text.

    Raises:
      InputError: names the file, the column, and what is wrong with it.
    """
    readable = 0
    for file in files:
        columns = columns_of(file, limits)
        if columns is None:
            continue
        readable += 1
        _check_names(file.path, columns, uses, required, key)
        _check_types(file.path, columns, uses, key)
    if not readable:
        raise errors.InputError(
            f"{files[0].path} cannot be read, nor any other of the {len(files)} "
            f"files of the source; they are empty or damaged."
        )


def _check_names(
    path: str,
    columns: Sequence[Column],
    uses: column_types.Uses,
    required: Collection[str],
    key: str,
) -> None:
    names = [column.name for column in columns]
    for name in required:
        if not _is_there(columns, name):
            raise errors.InputError(
                f"{path} has no column {name!r}, which the mapping of `{key}` reads; "
                f"it has {', '.join(sorted(names)) or 'none'}. "
                f"{_cure(path, name)}"
            )
    for name in _distinct(nested.locate(name, names)[0] for name, _ in uses):
        if names.count(name) > 1:
            raise errors.InputError(
                f"{path} has {names.count(name)} columns {name!r}; expected one, as "
                f"the mapping of `{key}` reads it. Rename the others."
            )


def _cure(path: str, name: str) -> str:
    if f"/{name}=" in path:
        return (
            "It stands in the name of the folder alone, which is not read: write it "
            "into the files."
        )
    return "Name the right column in the mapping, or mend the file."


def _is_there(columns: Sequence[Column], name: str) -> bool:
    types = {column.name: column.kind for column in columns}
    stored, field = nested.locate(name, types)
    kind = types.get(stored)
    if not field or kind is None:
        return stored in types
    return nested.field_type(kind, field) is not None


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _check_types(
    path: str, columns: Sequence[Column], uses: column_types.Uses, key: str
) -> None:
    types = {column.name: column.kind for column in columns if column.kind is not None}
    for name, use in uses:
        kind = nested.find_type(types, name)
        if kind is not None and not column_types.fits(kind, use):
            raise errors.InputError(
                f"{path}: column {name!r} holds {kind}; expected "
                f"{column_types.EXPECTED[use]}. Name another column"
                f"{_fields(name, kind)} in the mapping of `{key}`."
            )


def _fields(name: str, kind: pa.DataType) -> str:
    """Returns the names of a struct's fields as part of a message."""
    if column_types.is_list(kind):
        kind = kind.value_type
    if not pa.types.is_struct(kind) or not kind.num_fields:
        return ""
    fields = (f"{name}.{kind.field(i).name}" for i in range(kind.num_fields))
    return f", or one of its fields ({', '.join(fields)}),"


def columns_of(
    file: locations.SourceFile,
    limits: text_blocks.Limits = text_blocks.DEFAULT_LIMITS,
) -> list[Column] | None:
    """Returns the columns of a file, or None where nothing of it can be read.

    Raises:
      InputError: the file does not exist, may not be read, is of another format than
        its name says, or begins with a line that is too long.
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
            return [Column(field.name, field.type) for field in parquet.schema_arrow]
        lines = text_blocks.LineBlocks(
            text_blocks.content(stream, file.compressed, 2**16, limits), 2**16, limits
        )
        if file.format == locations.CSV:
            return _csv_columns(file.path, lines)
        return _json_columns(file.path, lines)


def _csv_columns(path: str, lines: text_blocks.LineBlocks) -> list[Column] | None:
    try:
        names = read_csv.header(lines)
    except read_csv.HeaderError as error:
        found, cure = error.args
        raise errors.InputError(
            f"{path}: the first line {found}; expected the names of the columns, "
            f"separated by commas, in UTF-8. To read the file, {cure}."
        ) from error
    return [Column(name, pa.binary()) for name in names] or None


def _json_columns(path: str, lines: text_blocks.LineBlocks) -> list[Column] | None:
    block = next(iter(lines), None)
    start = block.data.lstrip() if block else b""
    rows = json_rows.sample(start)
    if lines.too_long and not rows:
        number, begins = next(iter(lines.too_long.items()))
        raise errors.InputError(
            f"{path}: line {number} is {begins}; expected an object on each line. To "
            "read the file, end its lines, or raise the limit."
        )
    is_array = start.startswith(b"[") and not rows
    if is_array or start.split(b"\n", 1)[0].strip() == b"[":
        raise errors.InputError(
            f"{path} holds one JSON array; expected an object on each line. "
            f"Write it as JSON Lines, as `jq -c '.[]'` does."
        )
    if start.startswith(b"{") and not rows:
        raise errors.InputError(
            f"{path}: none of the first lines is a JSON object; expected one whole "
            f"object on each line. Write it as JSON Lines, as `jq -c .` does."
        )
    keys = sorted({key for row in rows for key in row})
    return [Column(key, None) for key in keys] or None
