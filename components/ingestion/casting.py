"""Casts raw columns of any type, cell by cell where a cell does not fit.

Whether a cell fits never depends on its neighbours: a column is cast as a whole, and
only if that fails in ever smaller parts, by the same cast.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

# Beyond this a double no longer holds every integer.
_EXACT_INTEGERS = 2.0**53
_MS_PER_UNIT = {"s": 1000, "ms": 1}
_UNITS_PER_MS = {"us": 1000, "ns": 1_000_000}


class Numbers(NamedTuple):
    """A column of numbers."""

    values: NDArray[Any]
    """[rows] int64 or float64; 0 where missing or bad."""
    missing: NDArray[np.bool_]
    """[rows] bool, null or an empty cell."""
    bad: NDArray[np.bool_]
    """[rows] bool, present but not a number of that kind."""


class Texts(NamedTuple):
    """A column of texts, each distinct one once."""

    codes: NDArray[np.int32]
    """[rows] int32 index into `values`; -1 where missing."""
    values: pa.StringArray
    """[distinct] string; "" where bad."""
    bad: NDArray[np.bool_]
    """[distinct] bool, not representable as text."""


def single_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Returns a column as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def sort_dictionary(
    codes: NDArray[np.int32], values: pa.Array
) -> tuple[NDArray[np.int32], pa.Array]:
    """Returns codes of a dictionary, and its values, with the values sorted by bytes.

    Example:
      >>> codes, values = sort_dictionary(np.array([0, 1]), pa.array(["b", "a"]))
      >>> codes.tolist(), values.to_pylist()
      ([1, 0], ['a', 'b'])
    """
    order = compute.sort_indices(values)
    rank = np.empty(len(values), np.int32)
    rank[np.asarray(order)] = np.arange(len(values), dtype=np.int32)
    return rank[codes], values.take(order)


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


def _plain(array: pa.Array) -> pa.Array:
    """Returns the array without dictionary, as UTF-8 text where it is text.

    Bytes that are not UTF-8 become a text that no cast accepts.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        text = cast_or_null(array, pa.string())
        lost = compute.and_(compute.is_valid(array), compute.is_null(text))
        return compute.if_else(lost, "not UTF-8", text)
    if pa.types.is_large_string(array.type):
        return array.cast(pa.string())
    return array


def _numbers(array: pa.Array, present: NDArray[np.bool_], dtype: type) -> Numbers:
    valid = np.asarray(compute.is_valid(array))
    values = array.fill_null(0).to_numpy(zero_copy_only=False).astype(dtype)
    return Numbers(values, ~present, present & ~valid)


def _present(array: pa.Array) -> NDArray[np.bool_]:
    present = compute.is_valid(array)
    if pa.types.is_string(array.type):
        present = compute.and_(present, compute.not_equal(array, ""))
        present = present.fill_null(False)
    return np.asarray(present)


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

    Truth values, lists and the like are bad.
    """
    array = _plain(single_array(column))
    present = _present(array)
    kind = array.type
    if pa.types.is_string(kind):
        return _numbers(_text_numbers(array, pa.float64()), present, np.float64)
    if pa.types.is_boolean(kind) or not (
        pa.types.is_primitive(kind) or pa.types.is_decimal(kind)
    ):
        return _numbers(pa.nulls(len(array), pa.float64()), present, np.float64)
    # A wide integer loses digits on the way to a double; that is no error here.
    return _numbers(array.cast(pa.float64(), safe=False), present, np.float64)


def integers(column: pa.ChunkedArray | pa.Array) -> Numbers:
    """Returns a column as int64; fractions are bad, whole numbers such as 3.0 good."""
    array = _plain(single_array(column))
    present = _present(array)
    kind = array.type
    if pa.types.is_null(kind):
        return _numbers(pa.nulls(len(array), pa.int64()), present, np.int64)
    if pa.types.is_integer(kind):
        return _numbers(cast_or_null(array, pa.int64()), present, np.int64)
    cast = None
    if pa.types.is_string(kind):
        cast = _numbers(_text_numbers(array, pa.int64()), present, np.int64)
        if not cast.bad.any():
            return cast
    real = floats(array)
    whole = np.isfinite(real.values) & (np.abs(real.values) <= _EXACT_INTEGERS)
    whole &= np.where(whole, real.values, 0.5) % 1.0 == 0.0
    values = np.where(whole, real.values, 0.0).astype(np.int64)
    bad = real.bad | (~real.missing & ~whole)
    if cast is None:
        return Numbers(values, real.missing, bad)
    return Numbers(
        np.where(cast.bad, values, cast.values), cast.missing, cast.bad & bad
    )


def milliseconds(column: pa.ChunkedArray | pa.Array, unit: str) -> Numbers:
    """Returns a column of times as int64 milliseconds UTC.

    Args:
      column: integers, floating-point numbers, texts of either, or a typed time, which
        brings its own unit; a typed time without zone is taken as UTC.
      unit: `s`, `ms`, `us` or `ns`; fractions are rounded to the nearest millisecond,
        whole microseconds and nanoseconds down.
    """
    array = single_array(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(array.type):
        unit = array.type.unit
        array = array.cast(pa.int64())
    if pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        return _from_floats(array, unit)
    whole = integers(array)
    values = _from_integers(whole.values, unit)
    if not whole.bad.any():
        return whole._replace(values=values)
    # Fractions, written as text.
    real = _from_floats(array, unit)
    return Numbers(
        np.where(whole.bad, real.values, values), whole.missing, whole.bad & real.bad
    )


def _from_integers(values: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    if unit in _UNITS_PER_MS:
        return values // _UNITS_PER_MS[unit]
    factor = _MS_PER_UNIT[unit]
    if factor == 1:
        return values
    limit = np.iinfo(np.int64).max // factor  # beyond it the product wraps around
    return np.clip(values, -limit, limit) * factor


def _from_floats(array: pa.Array, unit: str) -> Numbers:
    real = floats(array)
    # pandas writes a missing time as not-a-number.
    missing = real.missing | (np.isnan(real.values) & pa.types.is_floating(array.type))
    scaled = (
        real.values / _UNITS_PER_MS[unit]
        if unit in _UNITS_PER_MS
        else real.values * _MS_PER_UNIT[unit]
    )
    bad = real.bad | (~missing & ~np.isfinite(real.values))
    rounded = np.clip(np.nan_to_num(np.rint(scaled)), -(2.0**62), 2.0**62)
    return Numbers(rounded.astype(np.int64), missing, bad & ~missing)


def texts(column: pa.ChunkedArray | pa.Array) -> Texts:
    """Returns a column as dictionary-encoded text.

    Whole numbers are written as integers (`7.0` is "7"), since ids are often stored
    as floating-point numbers by accident. Fractions, truth values and lists are bad.
    Empty and blank text and not-a-number are missing.
    """
    array = single_array(column)
    if not pa.types.is_dictionary(array.type):
        kind = array.type
        if pa.types.is_nested(kind) or pa.types.is_boolean(kind):
            codes = np.where(np.asarray(array.is_valid()), 0, -1).astype(np.int32)
            return Texts(codes, pa.array([""], pa.string()), np.array([True]))
        array = array.dictionary_encode()
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    codes = codes.astype(np.int32, copy=False)
    values, missing, bad = _distinct_texts(array.dictionary)
    if missing.any():
        lookup = np.where(missing, -1, np.arange(len(missing)))
        # The last entry answers for code -1.
        codes = np.append(lookup, -1).astype(np.int32)[codes]
    return Texts(codes, values, bad)


def _distinct_texts(
    values: pa.Array,
) -> tuple[pa.Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns distinct values as text, which of them are missing, and which bad."""
    if pa.types.is_integer(values.type) or pa.types.is_null(values.type):
        text = values.cast(pa.string())
        missing = np.asarray(values.is_null())
        return text.fill_null(""), missing, np.zeros(len(values), bool)
    if pa.types.is_floating(values.type):
        missing = np.isnan(values.to_numpy(zero_copy_only=False).astype(float))
        whole = integers(values)
        text = pa.array(whole.values).cast(pa.string())
        return text, missing, whole.bad & ~missing
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        # Arrow trusts files to hold UTF-8: look at the bytes.
        values = values.cast(
            pa.binary() if pa.types.is_string(values.type) else pa.large_binary()
        )
    text = cast_or_null(values, pa.string())
    bad = np.asarray(text.is_null()) & np.asarray(values.is_valid())
    text = text.fill_null("")
    blank = compute.equal(compute.utf8_trim_whitespace(text), "")
    return text, np.asarray(blank) & ~bad, bad
