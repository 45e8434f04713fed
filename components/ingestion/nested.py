"""Lists of every layout, and fields of structs: `genres.name` is a column too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pyarrow as pa
from pyarrow import compute

from components.ingestion import column_types


def locate(name: str, columns: Collection[str]) -> tuple[str, str]:
    """Returns the column of a file that holds a name, and the field of it, or "".

    A column of that very name comes first, then one whose field is named after a dot.

    Example:
      >>> locate("genres.name", ["genres"]), locate("genres.name", ["genres.name"])
      (('genres', 'name'), ('genres.name', ''))
    """
    head, dot, rest = name, "", ""
    while head not in columns:
        head, dot, last = head.rpartition(".")
        if not dot:
            return name, ""
        rest = f"{last}.{rest}" if rest else last
    return head, rest


def find_type(types: Mapping[str, pa.DataType], name: str) -> pa.DataType | None:
    """Returns the type of a column, or of a column's field; None if there is none."""
    column, field = locate(name, types)
    kind = types.get(column)
    return field_type(kind, field) if kind is not None and field else kind


def field_type(kind: pa.DataType, field: str) -> pa.DataType | None:
    """Returns the type of a struct's field, or None if there is none of that name.

    The field of a list of structs is a list.
    """
    if column_types.is_list(kind):
        element = field_type(kind.value_type, field)
        nested = element is None or column_types.is_list(kind.value_type)
        return None if nested else pa.list_(element)
    if not pa.types.is_struct(kind) or kind.get_field_index(field) < 0:
        return None
    return kind.field(kind.get_field_index(field)).type


def select(table: pa.Table, names: Iterable[str]) -> pa.Table:
    """Returns columns, and fields of columns, by their names; all must be there."""
    columns = {}
    for name in names:
        column, field = locate(name, table.column_names)
        columns[name] = pick(table[column], field) if field else table[column]
    return pa.table(columns)


def pick(column: pa.ChunkedArray, field: str) -> pa.ChunkedArray:
    """Returns a struct's field as a column; see `field_type`."""
    kind = field_type(column.type, field)
    return pa.chunked_array([_pick(chunk, field) for chunk in column.chunks], kind)


def _pick(array: pa.Array, field: str) -> pa.Array:
    if not column_types.is_list(array.type):
        return array.flatten()[array.type.get_field_index(field)]
    lists = to_list(array)
    return pa.ListArray.from_arrays(lists.offsets, _pick(lists.values, field))


def to_list(array: pa.Array) -> pa.ListArray:
    """Returns lists of any layout as lists of 32-bit offsets; null becomes empty."""
    if pa.types.is_list(array.type):
        return array
    lengths = np.asarray(compute.list_value_length(array).fill_null(0))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    if not offsets[-1]:
        # Of lists of a fixed size that are all null, Arrow joins none, which fails.
        return pa.ListArray.from_arrays(offsets, pa.nulls(0, array.type.value_type))
    return pa.ListArray.from_arrays(offsets, array.flatten())
