"""Columns of text, each distinct text once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import casting, column_types

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
# Where the 32 digits of a UUID stand among its 36 characters.
_UUID_DIGITS = np.delete(np.arange(36), [8, 13, 18, 23])


class Texts(NamedTuple):
    """A column of texts, each distinct one once."""

    codes: NDArray[np.int32]
    """[rows] int32 index into `values`; -1 where missing."""
    values: pa.StringArray
    """[distinct] string; "" where bad."""
    bad: NDArray[np.bool_]
    """[distinct] bool, not representable as text."""


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


def texts(column: pa.ChunkedArray | pa.Array) -> Texts:
    """Returns a column as dictionary-encoded text.

    Whole numbers are written as integers (`7.0` is "7"), since ids are often stored
    as floating-point numbers or decimals by accident, and 16 bytes as a UUID.
    Fractions, truth values, lists and the like are bad. Empty and blank text and
    not-a-number are missing.
    """
    array = casting.single_array(column)
    if not column_types.fits(array.type, column_types.TEXT):
        codes = np.where(np.asarray(array.is_valid()), 0, -1).astype(np.int32)
        return Texts(codes, pa.array([""], pa.string()), np.array([True]))
    if pa.types.is_float16(array.type):
        array = casting.plain(array)
    if not pa.types.is_dictionary(array.type):
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
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        text = values.cast(pa.string())
        missing = np.asarray(values.is_null())
        return text.fill_null(""), missing, np.zeros(len(values), bool)
    if pa.types.is_floating(kind):
        real = casting.floats(values)
        missing = real.missing | np.isnan(real.values)
        whole = casting.integers(values)
        text = pa.array(whole.values).cast(pa.string())
        return text, missing, whole.bad & ~missing
    if pa.types.is_decimal(kind) or column_types.is_uuid(kind):
        text = _decimals(values) if pa.types.is_decimal(kind) else _uuids(values)
        missing = np.asarray(values.is_null())
        bad = np.asarray(text.is_null()) & ~missing
        return text.fill_null(""), missing, bad
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        # Arrow trusts files to hold UTF-8: look at the bytes.
        values = values.cast(
            pa.binary() if pa.types.is_string(kind) else pa.large_binary()
        )
    text = casting.cast_or_null(values, pa.string())
    bad = np.asarray(text.is_null()) & np.asarray(values.is_valid())
    text = text.fill_null("")
    blank = compute.equal(compute.utf8_trim_whitespace(text), "")
    return text, np.asarray(blank) & ~bad, bad


def _decimals(values: pa.Array) -> pa.Array:
    """Returns whole numbers as text, null where there is a fraction."""
    whole = casting.whole_or_null(values)
    try:
        return whole.cast(pa.int64()).cast(pa.string())
    except pa.ArrowInvalid:  # more digits than 64 bits hold
        cells = whole.to_pylist()
        texts = [None if cell is None else str(int(cell)) for cell in cells]
        return pa.array(texts, pa.string())


def _uuids(values: pa.Array) -> pa.Array:
    """Returns 16 bytes each as a UUID, such as 00112233-4455-6677-8899-aabbccddeeff."""
    size = column_types.UUID_BYTES
    begin, end = size * values.offset, size * (values.offset + len(values))
    stored = values.buffers()[1] or b""
    data = np.frombuffer(stored, np.uint8)[begin:end].reshape(-1, size)
    text = np.full((len(values), 36), ord("-"), np.uint8)
    digits = np.stack([data >> 4, data & 15], axis=-1).reshape(len(values), 2 * size)
    text[:, _UUID_DIGITS] = _HEX[digits]
    offsets = np.arange(len(values) + 1, dtype=np.int32) * 36
    found = pa.StringArray.from_buffers(
        len(values), pa.py_buffer(offsets), pa.py_buffer(text)
    )
    return compute.if_else(values.is_valid(), found, pa.scalar(None, pa.string()))
