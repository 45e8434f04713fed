"""Turns columns of times of any type and unit into milliseconds UTC."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.ingestion import casting

_MS_PER_UNIT = {"s": 1000, "ms": 1}
_UNITS_PER_MS = {"us": 1000, "ns": 1_000_000}


def milliseconds(column: pa.ChunkedArray | pa.Array, unit: str) -> casting.Numbers:
    """Returns a column of times as int64 milliseconds UTC.

    Args:
      column: integers, floating-point numbers, texts of either, or a typed time, which
        brings its own unit; a typed time without zone is taken as UTC.
      unit: `s`, `ms`, `us` or `ns`; fractions are rounded to the nearest millisecond,
        whole microseconds and nanoseconds down.
    """
    array = casting.single_array(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(array.type):
        unit = array.type.unit
        array = array.cast(pa.int64())
    if pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        return _from_floats(array, unit)
    whole = casting.integers(array)
    values = _from_integers(whole.values, unit)
    if not whole.bad.any():
        return whole._replace(values=values)
    # Fractions, written as text.
    real = _from_floats(array, unit)
    return casting.Numbers(
        np.where(whole.bad, real.values, values), whole.missing, whole.bad & real.bad
    )


def _from_integers(values: np.ndarray, unit: str) -> np.ndarray:
    if unit in _UNITS_PER_MS:
        return values // _UNITS_PER_MS[unit]
    factor = _MS_PER_UNIT[unit]
    if factor == 1:
        return values
    limit = np.iinfo(np.int64).max // factor  # beyond it the product wraps around
    return np.clip(values, -limit, limit) * factor


def _from_floats(array: pa.Array, unit: str) -> casting.Numbers:
    real = casting.floats(array)
    # pandas writes a missing time as not-a-number.
    missing = real.missing | (np.isnan(real.values) & pa.types.is_floating(array.type))
    scaled = (
        real.values / _UNITS_PER_MS[unit]
        if unit in _UNITS_PER_MS
        else real.values * _MS_PER_UNIT[unit]
    )
    bad = real.bad | (~missing & ~np.isfinite(real.values))
    rounded = np.clip(np.nan_to_num(np.rint(scaled)), -(2.0**62), 2.0**62)
    return casting.Numbers(rounded.astype(np.int64), missing, bad & ~missing)
