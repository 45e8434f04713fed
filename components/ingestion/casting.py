"""Casts raw columns of any type to numbers, cell by cell where a cell does not fit.

Whether a cell fits never depends on its neighbours: a column is cast as a whole, and
only if that fails in ever smaller parts, by the same cast.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import column_types

EXACT_INTEGERS = 2.0**53
"""Beyond this a double no longer holds every integer."""


class Numbers(NamedTuple):
    """A column of numbers."""

    values: NDArray[Any]
    """[rows] int64 or float64; 0 where missing or bad."""
    missing: NDArray[np.bool_]
    """[rows] bool, null or an empty cell."""
    bad: NDArray[np.bool_]
    """[rows] bool, present but not a number of that kind."""


def single_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Returns a column as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def cast_or_null(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Returns the array as another type, null where a cell does not fit.

    Example:
      >>> cast_or_null(pa.array(["1", "x"]), pa.int64()).to_pylist()
      [1, None]
    """
    try:
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        # Cells that do not fit are often many, but alike: "NULL", "n/a".
        distinct = array.dictionary_encode()
        return _cast_by_halves(distinct.dictionary, kind).take(distinct.indices)


def _cast_by_halves(array: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if len(array) <= 1:
            return pa.nulls(len(array), kind)
    half = len(array) // 2
    return pa.concat_arrays(
        [_cast_by_halves(array[:half], kind), _cast_by_halves(array[half:], kind)]
    )


def plain(array: pa.Array) -> pa.Array:
    """Returns the array without dictionary, as UTF-8 text where it is text.

    Bytes that are not UTF-8 become a text that no cast accepts. Half precision, of
    which Arrow casts nothing, becomes single.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        text = cast_or_null(array, pa.string())
        lost = compute.and_(compute.is_valid(array), compute.is_null(text))
        return compute.if_else(lost, "not UTF-8", text)
    if pa.types.is_large_string(array.type):
        return array.cast(pa.string())
    if pa.types.is_float16(array.type):
        numbers = array.to_numpy(zero_copy_only=False).astype(np.float32)
        return pa.array(numbers, mask=np.asarray(array.is_null()))
    return array


def _numbers(array: pa.Array, present: NDArray[np.bool_], dtype: type) -> Numbers:
    valid = np.asarray(compute.is_valid(array))
    values = array.fill_null(0).to_numpy(zero_copy_only=False).astype(dtype)
    return Numbers(values, ~present, present & ~valid)


def present(array: pa.Array) -> NDArray[np.bool_]:
    """Returns which cells hold anything, as a mask; empty text is nothing."""
    found = compute.is_valid(array)
    if pa.types.is_string(array.type):
        found = compute.and_(found, compute.not_equal(array, "")).fill_null(False)
    return np.asarray(found)


def _text_numbers(array: pa.Array, kind: pa.DataType) -> pa.Array:
    empty = compute.equal(array, "")
    if compute.any(empty).as_py():
        array = compute.if_else(empty, pa.scalar(None, array.type), array)
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:
        return cast_or_null(compute.utf8_trim_whitespace(array), kind)


def floats(column: pa.ChunkedArray | pa.Array) -> Numbers:
    """Returns a column as float64; not-a-number and infinity are kept as they are.

    Truth values, lists and whatever else is no number are bad.
    """
    array = plain(single_array(column))
    filled = present(array)
    if not column_types.fits(array.type, column_types.NUMBER):
        return _numbers(pa.nulls(len(array), pa.float64()), filled, np.float64)
    if pa.types.is_string(array.type):
        return _numbers(_text_numbers(array, pa.float64()), filled, np.float64)
    # A wide integer loses digits on the way to a double; that is no error here.
    return _numbers(array.cast(pa.float64(), safe=False), filled, np.float64)


def integers(column: pa.ChunkedArray | pa.Array) -> Numbers:
    """Returns a column as int64; fractions are bad, whole numbers such as 3.0 good.

    Not-a-number is missing.
    """
    array = plain(single_array(column))
    filled = present(array)
    kind = array.type
    if pa.types.is_null(kind):
        return _numbers(pa.nulls(len(array), pa.int64()), filled, np.int64)
    if pa.types.is_decimal(kind):
        array = whole_or_null(array)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _numbers(cast_or_null(array, pa.int64()), filled, np.int64)
    cast = None
    if pa.types.is_string(kind):
        cast = _numbers(_text_numbers(array, pa.int64()), filled, np.int64)
        if not cast.bad.any():
            return cast
    real = floats(array)
    # Integers with gaps are often stored as floating-point numbers.
    missing = real.missing | np.isnan(real.values)
    whole = np.isfinite(real.values) & (np.abs(real.values) <= EXACT_INTEGERS)
    whole &= np.where(whole, real.values, 0.5) % 1.0 == 0.0
    values = np.where(whole, real.values, 0.0).astype(np.int64)
    bad = real.bad | (~missing & ~whole)
    if cast is None:
        return Numbers(values, missing, bad)
    missing = cast.missing | (cast.bad & missing)
    return Numbers(
        np.where(cast.bad, values, cast.values), missing, cast.bad & bad & ~missing
    )


def whole_or_null(decimals: pa.Array) -> pa.Array:
    """Returns decimals, null where they have a fraction."""
    whole = compute.equal(compute.floor(decimals), decimals)
    return compute.if_else(whole, decimals, pa.scalar(None, decimals.type))
