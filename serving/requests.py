"""Builds the arrays of a retrieval request from histories; numpy alone.

Example:
  >>> events = [Event("a", "view", 1_000, 0.5), Event("a", "dislike", 1_000)]
  >>> inputs = build_inputs([events], k=10)
  >>> inputs["history_action"].tolist()
  [[b'dislike|view']]
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schema import errors, features
from serving.bundle import signature

_INT64_MAX = np.iinfo(np.int64).max
_INT32_MAX = np.iinfo(np.int32).max
_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Event(NamedTuple):
    """One canonical event of one user."""

    item_id: str
    """The item, not empty."""
    action: str
    """One action name, or several joined by `|`."""
    timestamp: int
    """Milliseconds since 1970, UTC."""
    value: float | None = None
    """Rating or dwell fraction; None where the log has none."""


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """One item of an answer. Scores rank the items of one answer, no more."""

    item_id: str
    score: float


def merge_exposures(history: Sequence[Event], merge_window_ms: int = 0) -> list[Event]:
    """Returns the history oldest first with one element for each exposure.

    Events of one item at most `merge_window_ms` after the first of them are one
    exposure: its timestamp and place are those of the first event, its actions the
    sorted set of all, its value the last one present. Events of equal timestamp keep
    the order in which they came.

    Args:
      history: Events of one user in any order.
      merge_window_ms: `history.merge_window_ms` of the configuration; 0 merges equal
        timestamps alone.
    """
    merged: list[Event] = []
    place: dict[str, int] = {}
    for event in sorted(history, key=lambda event: event.timestamp):
        first = place.get(event.item_id)
        if (
            first is not None
            and event.timestamp - merged[first].timestamp <= merge_window_ms
        ):
            merged[first] = _join(merged[first], event)
        else:
            place[event.item_id] = len(merged)
            merged.append(event)
    return merged


def join_actions(*actions: str) -> str:
    """Returns the set of all given actions as one text.

    Example:
      >>> join_actions("view", "dislike|view")
      'dislike|view'
    """
    separator = features.ACTION_SEPARATOR
    names = {name for action in actions for name in action.split(separator)}
    return separator.join(sorted(names - {""}))


def _join(first: Event, later: Event) -> Event:
    return first._replace(
        action=join_actions(first.action, later.action),
        value=first.value if later.value is None else later.value,
    )


def build_inputs(
    histories: Sequence[Sequence[Event]],
    *,
    k: int | Sequence[int],
    exclude: Sequence[Sequence[str]] | None = None,
    max_length: int | None = None,
    merge_window_ms: int = 0,
) -> signature.Tensors:
    """Returns the inputs of `serving_default` for a batch of users.

    Args:
      histories: One sequence of events a user, in any order; empty for a user of
        whom nothing is known.
      k: Number of items wanted, at least 1; one for all users, or one a user.
      exclude: Items that must not be returned, one sequence a user.
      max_length: Keeps the newest so many exposures; None keeps all.
      merge_window_ms: See `merge_exposures`.

    Returns:
      `history_item_id`, `history_action` object [batch, length] of bytes,
      `history_timestamp` int64 [batch, length], `history_value` float32
      [batch, length], `exclude_item_id` object [batch, n] of bytes, `k` int32
      [batch]. Oldest first; b"", b"", 0 and NaN pad at the end. `length` is at least
      1, so that models see no empty sequence.

    Raises:
      InputError: A value is out of range, or the lengths of the arguments differ.
    """
    if not histories:
        raise errors.InputError("`histories` must hold at least one user; got none")
    if max_length is not None and max_length < 1:
        raise errors.InputError(f"`max_length` must be at least 1; got {max_length}")
    rows = []
    for row, history in enumerate(histories):
        _check_events(history, row)
        merged = merge_exposures(history, merge_window_ms)
        rows.append(merged if max_length is None else merged[-max_length:])
    shape = (len(rows), max(1, max(map(len, rows))))
    item_ids = np.full(shape, b"", dtype=object)
    actions = np.full(shape, b"", dtype=object)
    timestamps = np.zeros(shape, dtype=np.int64)
    values = np.full(shape, np.nan, dtype=np.float32)
    for row, events in enumerate(rows):
        if not events:
            continue
        end = len(events)
        item_ids[row, :end] = [event.item_id.encode() for event in events]
        actions[row, :end] = [event.action.encode() for event in events]
        timestamps[row, :end] = [event.timestamp for event in events]
        values[row, :end] = [
            math.nan if event.value is None else event.value for event in events
        ]
    return {
        signature.HISTORY_ITEM_ID: item_ids,
        signature.HISTORY_ACTION: actions,
        signature.HISTORY_TIMESTAMP: timestamps,
        signature.HISTORY_VALUE: values,
        signature.EXCLUDE_ITEM_ID: _ids_array("exclude", exclude, len(rows)),
        signature.K: _k_array(k, len(rows)),
    }


def build_similar_inputs(
    items: Sequence[Sequence[str]],
    *,
    k: int | Sequence[int],
    exclude: Sequence[Sequence[str]] | None = None,
) -> signature.Tensors:
    """Returns the inputs of `similar` for a batch of questions.

    Args:
      items: Item ids, at least one a question; the answer is like all of them together.
      k: As in `build_inputs`.
      exclude: As in `build_inputs`; the items themselves never come back.

    Returns:
      `item_id` and `exclude_item_id`, object [batch, n] of bytes, and `k`, int32
      [batch].

    Raises:
      InputError: A question names no item, or see `build_inputs`.

    Example:
      >>> build_similar_inputs([["a", "b"]], k=3)["item_id"].tolist()
      [[b'a', b'b']]
    """
    if not items:
        raise errors.InputError("`items` must hold at least one question; got none")
    given = _ids_array("items", items, len(items))
    for row, item_ids in enumerate(items):
        if not item_ids or not all(item_ids):
            raise errors.InputError(
                f"`items` must hold at least one item id and no empty one; got "
                f"{list(item_ids)} in question {row}"
            )
    return {
        signature.ITEM_ID: given,
        signature.EXCLUDE_ITEM_ID: _ids_array("exclude", exclude, len(items)),
        signature.K: _k_array(k, len(items)),
    }


def _check_events(history: Sequence[Event], row: int) -> None:
    for position, event in enumerate(history):
        if not event.item_id:
            problem = "`item_id` must not be empty; got nothing"
        elif not 0 <= event.timestamp <= _INT64_MAX:
            problem = (
                "`timestamp` must be milliseconds since 1970, at least 0; got "
                f"{event.timestamp}"
            )
        # NaN is how arrays write "absent"; it passes.
        elif event.value is not None and abs(event.value) > _FLOAT32_MAX:
            problem = f"`value` must be a finite float32 or absent; got {event.value}"
        else:
            continue
        raise errors.InputError(f"{problem} in event {position} of history {row}")


def _ids_array(
    name: str, ids: Sequence[Sequence[str]] | None, num_rows: int
) -> NDArray[np.object_]:
    """Returns [num_rows, most of a row] bytes, b"" pads; None: nothing in any row."""
    if ids is None:
        return np.full((num_rows, 0), b"", dtype=object)
    if len(ids) != num_rows:
        raise errors.InputError(
            f"`{name}` must hold one list for each of the {num_rows} rows; got "
            f"{len(ids)}"
        )
    for row, item_ids in enumerate(ids):
        # A plain string is a sequence of strings too, and would give letters.
        if isinstance(item_ids, str):
            raise errors.InputError(
                f"`{name}` must hold lists of item ids; got the text {item_ids!r} "
                f"for row {row}"
            )
    array = np.full((num_rows, max(map(len, ids))), b"", dtype=object)
    for row, item_ids in enumerate(ids):
        array[row, : len(item_ids)] = [item_id.encode() for item_id in item_ids]
    return array


def _k_array(k: int | Sequence[int], num_rows: int) -> NDArray[np.int32]:
    ks = [k] * num_rows if isinstance(k, (int, np.integer)) else list(k)
    if len(ks) != num_rows:
        raise errors.InputError(
            f"`k` must be one number, or one for each of the {num_rows} histories; "
            f"got {len(ks)}"
        )
    if wrong := [k for k in ks if not 1 <= k <= _INT32_MAX]:
        raise errors.InputError(f"`k` must be at least 1; got {wrong[0]}")
    return np.array(ks, dtype=np.int32)


def parse_outputs(outputs: signature.Tensors) -> list[list[Recommendation]]:
    """Returns the answers row by row, best first, without padding.

    Args:
      outputs: `item_id` [batch, max k] of bytes or str, `score` float32
        [batch, max k], padded with "" and -inf.
    """
    answers = []
    for item_ids, scores in zip(
        outputs[signature.ITEM_ID], outputs[signature.SCORE], strict=True
    ):
        answers.append(
            [
                Recommendation(_text(item_id), float(score))
                for item_id, score in zip(item_ids, scores, strict=True)
                if item_id not in (b"", "")
            ]
        )
    return answers


def _text(item_id: bytes | str) -> str:
    return item_id.decode() if isinstance(item_id, bytes) else item_id
