"""Orders events, drops repeats, and merges rows of one exposure into interactions."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.event_example_gen import mapping
from components.ingestion import dictionaries

MS_PER_DAY = 86_400_000


@dataclasses.dataclass(frozen=True)
class Interactions:
    """Interactions of some users, user by user and in order within a user."""

    user_ids: pa.Array
    """Distinct user ids with at least one interaction, sorted by bytes."""
    user_begin: NDArray[np.int64]
    """[users + 1] int64, where each user's interactions begin."""
    item: NDArray[np.int32]
    """[interactions] int32 index into `item_ids`."""
    item_ids: pa.Array
    """Distinct item ids, sorted by bytes."""
    timestamp: NDArray[np.int64]
    """[interactions] int64 milliseconds, of the first row."""
    actions: NDArray[np.int64]
    """[interactions] int64 bit mask; bit i is the policy's i-th action."""
    value: NDArray[np.float64]
    """[interactions] float64, NaN where absent."""

    def used_items(self) -> pa.Array:
        """Returns the ids of the items that occur."""
        used = np.zeros(len(self.item_ids), bool)
        used[self.item] = True
        return self.item_ids.filter(pa.array(used))


@dataclasses.dataclass(frozen=True)
class Ordered:
    """The kept events in order, and what was dropped on the way."""

    events: mapping.Events
    """Kept events; codes follow the byte order of the ids; ordered by user, timestamp,
    sequence, item, action and value."""
    num_duplicates: int
    """Rows equal to another one in all canonical columns."""
    over_limit: mapping.Events
    """Events beyond the daily limit of their user, in the same order."""


def order_events(events: mapping.Events, max_events_per_day: int = 0) -> Ordered:
    """Returns the events in their total order without duplicates.

    Args:
      events: canonical events in any order.
      max_events_per_day: most events of one user in one UTC day, the first in order
        stay; 0: no limit.
    """
    user, user_ids = dictionaries.sort_dictionary(events.user, events.user_ids)
    item, item_ids = dictionaries.sort_dictionary(events.item, events.item_ids)
    events = dataclasses.replace(
        events, user=user, user_ids=user_ids, item=item, item_ids=item_ids
    )
    events = events.take(_order(events))
    same = _equals_previous(events)
    num_duplicates = int(same.sum())
    if num_duplicates:
        events = events.take(~same)
    over = np.zeros(len(events.user), bool)
    if max_events_per_day:
        over = _over_daily_limit(events, max_events_per_day)
    over_limit = events.take(over)
    return Ordered(
        events.take(~over) if over.any() else events, num_duplicates, over_limit
    )


def _order(events: mapping.Events) -> NDArray[np.int64]:
    """Returns the permutation that puts events into their total order."""
    order = _by_user_and_time(events)
    tied = np.flatnonzero(_in_ties(events.user[order], events.timestamp[order]))
    if len(tied):
        # Ties are few: only they are compared by all further keys.
        rows = order[tied]
        further = [
            column[rows]
            for column in (
                events.position,
                events.file,
                _value_key(events.value),
                events.action,
                events.item,
                events.sequence,
                events.timestamp,
                events.user,
            )
            if column is not None
        ]
        order[tied] = rows[np.lexsort(further)]
    return order


def _by_user_and_time(events: mapping.Events) -> NDArray[np.int64]:
    """Returns a permutation by (user, timestamp), ties in any order."""
    if not len(events.user):
        return np.zeros(0, np.int64)
    since = events.timestamp - events.timestamp.min()
    time_bits = int(since.max()).bit_length()
    if time_bits + len(events.user_ids).bit_length() > 63:
        order: NDArray[np.int64] = np.lexsort((events.timestamp, events.user))
        return order
    # One 64-bit key sorts several times faster than two.
    return np.argsort((events.user.astype(np.int64) << time_bits) | since)


def _in_ties(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns which rows equal a neighbour, as a mask."""
    begins = np.append(_begins(*columns), True)
    alone: NDArray[np.bool_] = begins[:-1] & begins[1:]
    return ~alone


def _value_key(value: NDArray[np.float64]) -> NDArray[np.float64]:
    # An absent value sorts first, so that a present one is the later of a tie.
    return np.where(np.isnan(value), -np.inf, value)


def _equals_previous(events: mapping.Events) -> NDArray[np.bool_]:
    same = np.zeros(len(events.user), bool)
    if len(same) < 2:
        return same
    equal = events.user[1:] == events.user[:-1]
    for column in (
        events.timestamp,
        events.item,
        events.action,
        _value_key(events.value),
        events.sequence,
    ):
        if column is not None:
            equal &= column[1:] == column[:-1]
    same[1:] = equal
    return same


def _begins(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns where runs of equal rows begin, as a mask."""
    begins = np.zeros(len(columns[0]), bool)
    begins[:1] = True
    for column in columns:
        begins[1:] |= column[1:] != column[:-1]
    return begins


def _over_daily_limit(events: mapping.Events, limit: int) -> NDArray[np.bool_]:
    day = events.timestamp // MS_PER_DAY
    first = np.flatnonzero(_begins(events.user, day))
    lengths = np.diff(np.append(first, len(day)))
    return np.arange(len(day)) - np.repeat(first, lengths) >= limit


def merge(events: mapping.Events, merge_window_ms: int = 0) -> Interactions:
    """Merges rows of one user and item into interactions.

    An interaction starts at a row and takes up every further row of its user and item
    within `merge_window_ms` of that row, end included. It has the time and sequence
    of its first row, the set of all actions, and the last value that is present.

    Args:
      events: ordered events of `order_events`.
      merge_window_ms: 0 merges rows with the same timestamp.
    """
    actions = np.left_shift(np.int64(1), events.action.astype(np.int64))
    value = events.value
    rows = _may_merge(events, merge_window_ms)
    if len(rows):
        user, item, time = events.user[rows], events.item[rows], events.timestamp[rows]
        starts = np.flatnonzero(_starts(_begins(user, item), time, merge_window_ms))
        first = rows[starts]
        value = value.copy()
        value[first] = _last_present(value[rows], starts)
        actions[first] = np.bitwise_or.reduceat(actions[rows], starts)
        is_first = np.ones(len(events.user), bool)
        is_first[rows] = False
        is_first[first] = True
        events = events.take(is_first)
        actions, value = actions[is_first], value[is_first]
    begins = np.flatnonzero(_begins(events.user))
    return Interactions(
        events.user_ids.take(pa.array(events.user[begins])),
        np.append(begins, len(events.user)),
        events.item,
        events.item_ids,
        events.timestamp,
        actions,
        value,
    )


def _may_merge(events: mapping.Events, window_ms: int) -> NDArray[np.int64]:
    """Returns the rows that share user and item (and time, if the window is 0).

    In the order of user and item, and within them in the order of the rows.
    """
    if window_ms == 0:
        rows = np.flatnonzero(_in_ties(events.user, events.timestamp))
    else:
        rows = np.arange(len(events.user))
    # The row number in the key's low bits makes any sort a stable one.
    row_bits = len(events.user).bit_length()
    pair = events.user[rows].astype(np.int64) * len(events.item_ids)
    pair += events.item[rows]
    if len(rows) and int(pair.max()).bit_length() + row_bits > 63:
        order = rows[np.argsort(pair, kind="stable")]
    else:
        order = np.sort((pair << row_bits) | rows) & ((1 << row_bits) - 1)
    return order[_in_ties(events.user[order], events.item[order])]


def _starts(
    new_pair: NDArray[np.bool_], time: NDArray[np.int64], window_ms: int
) -> NDArray[np.bool_]:
    """Returns which rows start an interaction, as a mask.

    Args:
      new_pair: [rows] where the rows of another user and item begin.
      time: [rows] ascending within a pair.
      window_ms: an interaction's longest reach from its first row.
    """
    starts = new_pair.copy()
    if window_ms == 0:
        starts[1:] |= time[1:] != time[:-1]
        return starts
    pair_begin = np.flatnonzero(new_pair)
    pair_end = np.append(pair_begin[1:], len(time))
    pair = np.repeat(np.arange(len(pair_begin)), pair_end - pair_begin)
    # All open interactions step on together, each to the first row out of its reach.
    at = pair_begin
    while len(at):
        step_from, at = at, _first_beyond(time, at, pair_end[pair[at]], window_ms)
        at = at[at < pair_end[pair[step_from]]]
        starts[at] = True
    return starts


def _first_beyond(
    time: NDArray[np.int64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    window_ms: int,
) -> NDArray[np.int64]:
    """Returns, by bisection, the first row of [begin, end) later than the window."""
    low, high, limit = begin, end, time[begin] + window_ms
    while (low < high).any():
        middle = (low + high) // 2
        later = time[np.minimum(middle, len(time) - 1)] > limit
        open_range = low < high
        high = np.where(open_range & later, middle, high)
        low = np.where(open_range & ~later, middle + 1, low)
    return low


def _last_present(
    value: NDArray[np.float64], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the last value of each group that is not NaN, NaN if all are."""
    row = np.where(np.isnan(value), -1, np.arange(len(value)))
    last = np.maximum.reduceat(row, starts)
    return np.where(last >= starts, value[last], np.nan)
