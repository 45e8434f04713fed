"""A slow, plain reading of the event contract, one row at a time.

Written from the contract and not from the components: no Arrow, no numpy, no Beam.
Rows are canonical CSV cells, all text.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import struct
from fractions import Fraction
from typing import NamedTuple

COLUMNS = ("user_id", "item_id", "timestamp", "action", "value", "sequence")
DAY_MS = 24 * 3600 * 1000


class Row(NamedTuple):
    """The cells of one row, as they stand in a CSV file."""

    user_id: str
    item_id: str
    timestamp: str
    action: str
    value: str = ""
    sequence: str = ""


@dataclasses.dataclass
class Rules:
    """The settings that matter."""

    actions: dict[str, str]  # name to polarity
    split: str = "leave_last_out"
    held_out: int = 1
    quantiles: tuple[float, float] = (0.8, 0.9)
    min_ms: int = 1_000
    max_ms: int = 10**12
    daily_limit: int = 0
    lookback_ms: int = 0
    now_ms: int | None = None
    max_future_ms: int = 0
    merge_ms: int = 0
    max_length: int = 5
    min_context: int = 2


class Event(NamedTuple):
    """A good row; the order of the fields is the order of events."""

    timestamp: int
    sequence: float
    item_id: bytes
    action: str
    value: float  # -inf: absent
    user_id: bytes


def refuse(row: Row, rules: Rules) -> str:
    """Returns why a row is no event, or ""."""
    for cell, name in ((row.user_id, "user_id"), (row.item_id, "item_id")):
        if not cell.strip():
            return f"missing_{name}"
        if "\n" in cell or "\r" in cell:
            return f"newline_in_{name}"
    if not row.timestamp:
        return "missing_timestamp"
    try:
        time = int(row.timestamp)
    except ValueError:
        return "bad_timestamp"
    if not rules.min_ms <= time < rules.max_ms:
        if rules.min_ms <= time * 1000 < rules.max_ms:
            return "timestamp_in_seconds"
        return "timestamp_out_of_range"
    if rules.now_ms is not None and time > rules.now_ms + rules.max_future_ms:
        return "future_timestamp"
    if not row.action:
        return "missing_action"
    if row.action not in rules.actions:
        return "unknown_action"
    if row.value:
        try:
            value = float(row.value)
        except ValueError:
            return "bad_value"
        if abs(value) > 3.5e38:
            return "non_finite_value"
    if row.sequence:
        try:
            int(row.sequence)
        except ValueError:
            return "bad_sequence"
    return ""


def to_event(row: Row) -> Event:
    value = float(row.value) if row.value else math.nan
    return Event(
        int(row.timestamp),
        int(row.sequence) if row.sequence else -math.inf,
        row.item_id.encode(),
        row.action,
        -math.inf if math.isnan(value) else value,
        row.user_id.encode(),
    )


def merge(events: list[Event], merge_ms: int) -> list[dict]:
    """Returns the interactions of one user's ordered events."""
    open_of_item: dict[bytes, dict] = {}
    interactions = []
    for event in events:
        current = open_of_item.get(event.item_id)
        if current is None or event.timestamp > current["timestamp"] + merge_ms:
            current = {
                "item_id": event.item_id,
                "timestamp": event.timestamp,
                "sequence": event.sequence,
                "actions": set(),
                "value": None,
            }
            open_of_item[event.item_id] = current
            interactions.append(current)
        current["actions"].add(event.action)
        if event.value != -math.inf:
            current["value"] = event.value
    return sorted(
        interactions, key=lambda i: (i["timestamp"], i["sequence"], i["item_id"])
    )


def windows(a: int, b: int, length: int, context: int) -> list[tuple[int, int, int]]:
    """Returns (start, first label, end) of each window over the labels [a, b)."""
    result = []
    label = a
    while label < b:
        head = max(0, label - context)
        end = min(b, head + length)
        result.append((max(0, end - length), label, end))
        label = end
    return result


def single(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def ingest(rows: list[Row], rules: Rules) -> dict:
    """Returns the counts of `ingestion.json` and the examples of each split."""
    rejected: collections.Counter[str] = collections.Counter()
    good = []
    for row in rows:
        reason = refuse(row, rules)
        if reason:
            rejected[reason] += 1
        else:
            good.append(to_event(row))
    if rules.lookback_ms and good:
        first_ms = max(event.timestamp for event in good) - rules.lookback_ms
        in_window = [event for event in good if event.timestamp >= first_ms]
        if len(in_window) < len(good):
            rejected["late_timestamp"] += len(good) - len(in_window)
        good = in_window
    by_user = collections.defaultdict(list)
    for event in sorted(set(good)):
        by_user[event.user_id].append(event)
    deduplicated = len(good) - len(set(good))
    if rules.daily_limit:
        for user, events in by_user.items():
            seen: collections.Counter[int] = collections.Counter()
            kept = []
            for event in events:
                seen[event.timestamp // DAY_MS] += 1
                if seen[event.timestamp // DAY_MS] <= rules.daily_limit:
                    kept.append(event)
            if len(kept) < len(events):
                rejected["over_daily_limit"] += len(events) - len(kept)
            by_user[user] = kept
    times = sorted(e.timestamp for events in by_user.values() for e in events)
    cuts = None
    if rules.split == "global_time" and times:
        ranks = [Fraction(str(q)) * len(times) for q in rules.quantiles]
        cuts = [times[min(int(rank), len(times) - 1)] for rank in ranks]
    examples = {split: [] for split in ("train", "eval", "test")}
    num_interactions = 0
    items = set()
    for user, events in by_user.items():
        history = merge(events, rules.merge_ms)
        num_interactions += len(history)
        items.update(interaction["item_id"] for interaction in history)
        n = len(history)
        if rules.split == "leave_last_out":
            num_test = rules.held_out if n >= 3 * rules.held_out else n // 3
            bounds = [0, n - num_test - num_test, n - num_test, n]
        else:
            before = [sum(i["timestamp"] < cut for i in history) for cut in cuts]
            bounds = [0, *before, n]
        for index, split in enumerate(examples):
            for start, label, end in windows(
                bounds[index], bounds[index + 1], rules.max_length, rules.min_context
            ):
                examples[split].append(
                    (
                        user,
                        tuple(
                            element(history[i], i >= label) for i in range(start, end)
                        ),
                    )
                )
    return {
        "events_read": len(rows),
        "events_kept": len(times),
        "events_rejected": dict(rejected),
        "events_deduplicated": deduplicated,
        "users": len(by_user),
        "items": len(items),
        "interactions": num_interactions,
        "split_times_ms": cuts,
        "examples": {split: sorted(found) for split, found in examples.items()},
    }


def element(interaction: dict, is_label: bool) -> tuple:
    """Returns (item, time, actions, value, value present, is label)."""
    value = interaction["value"]
    return (
        interaction["item_id"],
        interaction["timestamp"],
        "|".join(sorted(interaction["actions"])).encode(),
        0.0 if value is None else single(value),
        int(value is not None),
        int(is_label),
    )
