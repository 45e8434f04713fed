"""Reads times of any kind as milliseconds UTC."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import casting

ISO_8601 = "iso8601"
"""Stands for a unit: the times are text such as 2024-02-29T12:00:00.5+01:00."""
_ZONE = r"[T ].*(Z|[+-]\d\d(:?\d\d)?)$"
_BEYOND_MS = r"[.,](\d{1,3})\d*"
_MS_PER_UNIT = {"s": 1000, "ms": 1}
_UNITS_PER_MS = {"us": 1000, "ns": 1_000_000}


def milliseconds(column: pa.ChunkedArray | pa.Array, unit: str) -> casting.Numbers:
    """Returns a column of times as int64 milliseconds UTC.

    Args:
      column: integers, floating-point numbers, texts of either, or a typed time, which
        brings its own unit; a typed time without zone is taken as UTC.
      unit: `s`, `ms`, `us` or `ns`; fractions are rounded to the nearest millisecond,
        whole microseconds and nanoseconds down. Or `iso8601`, see `_from_iso_8601`.
    """
    array = casting.single_array(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(array.type):
        unit = array.type.unit
        array = array.cast(pa.int64())
    elif unit == ISO_8601:
        return _from_iso_8601(array)
    if pa.types.is_floating(array.type):
        return _from_floats(array, unit)
    whole = casting.integers(array)
    values = _from_integers(whole.values, unit)
    if not whole.bad.any():
        return whole._replace(values=values)
    # Fractions, as text or decimals.
    real = _from_floats(array, unit)
    return casting.Numbers(
        np.where(whole.bad, real.values, values), whole.missing, whole.bad & real.bad
    )


def _from_iso_8601(array: pa.Array) -> casting.Numbers:
    """Returns texts of dates and times as milliseconds; what is no text is bad.

    A date is its midnight, a time without zone is UTC. What is finer than a
    millisecond is rounded down.
    """
    array = casting.plain(array)
    present = casting.present(array)
    if not pa.types.is_string(array.type):
        nothing = np.zeros(len(array), np.int64)
        return casting.Numbers(nothing, ~present, present)
    text = compute.utf8_trim_whitespace(array)
    has_zone = compute.match_substring_regex(text, _ZONE)
    parsed = [
        _parse(compute.if_else(chosen, text, pa.scalar(None, text.type)), zone)
        for chosen, zone in ((has_zone, "UTC"), (compute.invert(has_zone), None))
    ]
    found = compute.coalesce(*parsed)
    valid = np.asarray(found.is_valid())
    values = np.asarray(found.fill_null(0))
    return casting.Numbers(values, ~present, present & ~valid)


def _parse(text: pa.Array, zone: str | None) -> pa.Array:
    """Returns texts as int64 milliseconds, null where they are no time."""
    kind = pa.timestamp("ms", zone)
    try:
        times = text.cast(kind)
    except pa.ArrowInvalid:
        text = compute.replace_substring_regex(text, _BEYOND_MS, r".\1")
        times = casting.cast_or_null(text, kind)
    return times.cast(pa.int64())


def _from_integers(values: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
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
