"""Maps raw columns to canonical events, whole columns at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import (
    casting,
    column_types,
    dictionaries,
    missing_values,
    refusals,
    timestamps,
)
from schema import events, settings

NO_SEQUENCE = np.iinfo(np.int64).min
"""Stands for a missing sequence; sorts first."""


@dataclasses.dataclass(frozen=True)
class Events:
    """Canonical events as columns of one length."""

    user: NDArray[np.int32]
    """[rows] int32 index into `user_ids`."""
    user_ids: pa.Array
    """Distinct user ids, string."""
    item: NDArray[np.int32]
    """[rows] int32 index into `item_ids`."""
    item_ids: pa.Array
    """Distinct item ids, string."""
    timestamp: NDArray[np.int64]
    """[rows] int64 milliseconds UTC."""
    action: NDArray[np.int8]
    """[rows] int8 index into the policy's sorted action names."""
    value: NDArray[np.float64]
    """[rows] float64, NaN where absent."""
    sequence: NDArray[np.int64] | None = None
    """[rows] int64, `NO_SEQUENCE` where absent; None: all absent."""
    file: NDArray[np.int64] | None = None
    """[rows] int64 index of the source file; None: not followed."""
    position: NDArray[np.int64] | None = None
    """[rows] int64 line number or row index in it; None: not followed."""

    def take(self, rows: NDArray[Any] | slice) -> Events:
        """Returns the events of the given rows (indices, a mask or a slice)."""
        taken = {
            field.name: column[rows]
            for field in dataclasses.fields(self)
            if isinstance(column := getattr(self, field.name), np.ndarray)
        }
        return dataclasses.replace(self, **taken)


def followed(events: Events, file: int, position: NDArray[np.int64]) -> Events:
    """Returns the events with the place they came from."""
    files = np.full(len(events.user), file, np.int64)
    return dataclasses.replace(events, file=files, position=position)


def required_columns(mapping: settings.EventMapping) -> list[str]:
    """Returns the source columns without which no event can be made."""
    columns = mapping.columns
    names = [columns.user_id, columns.item_id, columns.timestamp]
    if columns.action:
        names.append(columns.action)
    else:
        names.extend(rule.column for rule in mapping.action_rules)
    if mapping.value_divided_by and columns.value:
        names.append(mapping.value_divided_by)
    return _distinct(names)


def column_uses(mapping: settings.EventMapping) -> column_types.Uses:
    """Returns all source columns that the mapping reads, and as what."""
    columns = mapping.columns
    uses: list[tuple[str, column_types.Use]] = [
        (columns.user_id, column_types.TEXT),
        (columns.item_id, column_types.TEXT),
        (columns.timestamp, column_types.TIME),
        (columns.value, column_types.NUMBER),
        (columns.sequence, column_types.NUMBER),
    ]
    if columns.action:
        uses.append((columns.action, column_types.TEXT))
    else:
        uses += [(rule.column, column_types.CONDITION) for rule in mapping.action_rules]
    if columns.value:
        uses.append((mapping.value_divided_by, column_types.NUMBER))
    return [(name, use) for name, use in uses if name]


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def to_events(
    table: pa.Table,
    mapping: settings.EventMapping,
    data: settings.DataSettings,
    action_names: tuple[str, ...],
    now_ms: int | None = None,
) -> tuple[Events, refusals.Reasons]:
    """Returns a table's rows as events, and which of them are refused and why.

    Args:
      table: raw columns of any type; optional ones may be absent.
      mapping: where the canonical fields come from.
      data: the range of timestamps.
      action_names: the policy's actions, sorted.
      now_ms: the moment of ingestion; None: no event is too far in the future.

    Returns:
      Events of all rows of the table; the fields of refused rows mean nothing.
    """
    columns = mapping.columns
    table = missing_values.without(table, mapping.missing_values)
    reasons = refusals.Reasons(table.num_rows)
    refusals.refuse_unfit(table, column_uses(mapping), reasons)
    user, user_ids = refusals.identifiers(
        table[columns.user_id], reasons, *events.USER_ID_REASONS
    )
    item, item_ids = refusals.identifiers(
        table[columns.item_id], reasons, *events.ITEM_ID_REASONS
    )
    timestamp = _timestamps(table[columns.timestamp], mapping, data, reasons)
    if now_ms is not None and data.max_future_ms is not None:
        future = timestamp > now_ms + data.max_future_ms
        reasons.add(events.FUTURE_TIMESTAMP, future)
    action = _actions(table, mapping, action_names, reasons)
    value = _values(table, mapping, reasons)
    sequence = None
    if columns.sequence in table.column_names:
        numbers = casting.integers(table[columns.sequence])
        reasons.add(events.BAD_SEQUENCE, numbers.bad)
        sequence = np.where(numbers.missing, NO_SEQUENCE, numbers.values)
    return (
        Events(user, user_ids, item, item_ids, timestamp, action, value, sequence),
        reasons,
    )


def _timestamps(
    column: pa.ChunkedArray,
    mapping: settings.EventMapping,
    data: settings.DataSettings,
    reasons: refusals.Reasons,
) -> NDArray[np.int64]:
    times = timestamps.milliseconds(column, mapping.timestamp_unit)
    reasons.add(events.MISSING_TIMESTAMP, times.missing)
    if times.bad.any() and mapping.timestamp_unit != timestamps.ISO_8601:
        as_text = timestamps.milliseconds(
            column.filter(pa.array(times.bad)), timestamps.ISO_8601
        )
        is_iso = times.bad.copy()
        is_iso[times.bad] = ~as_text.bad
        reasons.add(events.TIMESTAMP_IN_ISO_8601, is_iso)
    reasons.add(events.BAD_TIMESTAMP, times.bad)

    def in_range(time_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (time_ms >= data.min_timestamp_ms) & (time_ms < data.max_timestamp_ms)

    outside = ~in_range(times.values)
    if outside.any():
        # Name the likely slip: seconds where milliseconds are declared, or the reverse.
        for declared, other, reason in (
            ("ms", "s", events.TIMESTAMP_IN_SECONDS),
            ("s", "ms", events.TIMESTAMP_IN_MILLISECONDS),
        ):
            if mapping.timestamp_unit == declared:
                as_other = timestamps.milliseconds(column, other).values
                reasons.add(reason, outside & in_range(as_other))
        reasons.add(events.TIMESTAMP_OUT_OF_RANGE, outside)
    return times.values


def _actions(
    table: pa.Table,
    mapping: settings.EventMapping,
    names: tuple[str, ...],
    reasons: refusals.Reasons,
) -> NDArray[np.int8]:
    """Returns the index of each row's action in the policy, 0 where refused."""
    if not mapping.columns.action:
        return _actions_by_rule(table, mapping, names, reasons)
    column = dictionaries.texts(table[mapping.columns.action])
    known = {name: code for code, name in enumerate(names)}
    lookup = [known.get(text, -1) for text in column.values.to_pylist()]
    code = np.array([*lookup, -1], np.int8)[column.codes]
    reasons.add(events.MISSING_ACTION, column.codes < 0)
    reasons.add(events.UNKNOWN_ACTION, code < 0)
    return np.maximum(code, 0)


def _actions_by_rule(
    table: pa.Table,
    mapping: settings.EventMapping,
    names: tuple[str, ...],
    reasons: refusals.Reasons,
) -> NDArray[np.int8]:
    default = mapping.default_action
    code = np.full(
        table.num_rows, names.index(default) if default in names else -1, np.int8
    )
    numbers: dict[str, casting.Numbers] = {}
    for rule in reversed(mapping.action_rules):  # so that the first match wins
        if rule.column not in numbers:
            numbers[rule.column] = casting.floats(table[rule.column])
        matched = _matches(rule, numbers[rule.column], table[rule.column])
        code[matched] = names.index(rule.action) if rule.action in names else -1
    reasons.add(events.NO_RULE_MATCHED, code < 0)
    return np.maximum(code, 0)


def _matches(
    rule: settings.ActionRule, numbers: casting.Numbers, column: pa.ChunkedArray
) -> NDArray[np.bool_]:
    number = ~(numbers.missing | numbers.bad)
    matched = np.ones(len(number), bool)
    if rule.at_least is not None:
        matched &= number & (numbers.values >= rule.at_least)
    if rule.at_most is not None:
        matched &= number & (numbers.values <= rule.at_most)
    if isinstance(rule.equals, float):
        matched &= number & (numbers.values == rule.equals)
    elif rule.equals is not None:
        matched &= _text_equals(column, rule.equals)
    return matched


def _text_equals(column: pa.ChunkedArray, wanted: str) -> NDArray[np.bool_]:
    array = casting.single_array(column)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.string())
    text = dictionaries.texts(array)
    same = np.asarray(compute.equal(text.values, wanted)) & ~text.bad
    return np.append(same, False)[text.codes]


def _values(
    table: pa.Table, mapping: settings.EventMapping, reasons: refusals.Reasons
) -> NDArray[np.float64]:
    """Returns each row's value, NaN where it has none; a NaN that is given is none."""
    name = mapping.columns.value
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    numbers = casting.floats(table[name])
    values, absent = numbers.values, numbers.missing | np.isnan(numbers.values)
    reasons.add(events.BAD_VALUE, numbers.bad)
    if mapping.value_divided_by:
        divisor = casting.floats(table[mapping.value_divided_by])
        reasons.add(events.BAD_VALUE, divisor.bad & ~absent)
        # A dwell without a duration says nothing: no value, still an event.
        absent = absent | divisor.missing | np.isnan(divisor.values)
        absent = absent | (divisor.values == 0.0)
        values = np.divide(values, divisor.values, where=~absent, out=values.copy())
    with np.errstate(over="ignore"):
        # The examples hold single precision: what overflows there is not finite.
        finite = np.isfinite(values.astype(np.float32))
    reasons.add(events.NON_FINITE_VALUE, ~finite & ~absent)
    # Adding zero turns -0.0 into 0.0, so that equal values have equal bits.
    return np.where(absent, np.nan, values + 0.0)
