"""Texts that mean "no value", such as `NULL`, become none."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
from pyarrow import compute

from components.ingestion import casting


def without(table: pa.Table, missing_values: Collection[str]) -> pa.Table:
    """Returns a table with null where a cell of text is one of some texts.

    Example:
      >>> without(pa.table({"a": ["x", "NULL"]}), ["NULL"])["a"].to_pylist()
      ['x', None]
    """
    if not missing_values:
        return table
    columns = {
        name: _without(casting.single_array(table[name]), missing_values)
        for name in table.column_names
    }
    return pa.table(columns)


def _without(array: pa.Array, missing_values: Collection[str]) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        values = _without(array.dictionary, missing_values)
        return pa.DictionaryArray.from_arrays(array.indices, values)
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_binary,
        pa.types.is_large_binary,
    )
    if not any(test(kind) for test in tests):
        return array
    listed = pa.array([value.encode() for value in missing_values]).cast(kind)
    return compute.if_else(compute.is_in(array, listed), pa.scalar(None, kind), array)
