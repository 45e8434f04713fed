"""What ingestion counted: merged over workers, judged, and written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schema import errors, features, settings

REPORT_FILE = "ingestion.json"
ITEMS_FILE = "items.parquet"
"""The distinct item ids of the log, sorted."""

# One worker's share of the counts; nested dicts of integers add up key by key.
Counts = dict[str, Any]


def add_counts(parts: Iterable[Counts]) -> Counts:
    """Returns the sum of counts, key by key at every level.

    Example:
      >>> add_counts([{"a": 1, "b": {"x": 1}}, {"b": {"x": 2}}])
      {'a': 1, 'b': {'x': 3}}
    """
    total: Counts = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, Mapping):
                total[key] = add_counts([total.get(key, {}), dict(value)])
            else:
                total[key] = total.get(key, 0) + value
    return total


def ingestion_report(
    counts: Counts, cuts_ms: tuple[int, int] | None, spans: Sequence[int] = ()
) -> Counts:
    """Returns the content of `ingestion.json`, every key present.

    Args:
      counts: sum over all workers.
      cuts_ms: where the eval and the test split begin; None under leave_last_out.
      spans: numbers of the spans that were read; none without a pattern.
    """
    rejected = dict(sorted(counts.get("events_rejected", {}).items()))
    labels = counts.get("labels", {})
    examples = counts.get("examples", {})
    polarities = ("positive", "negative", "neutral")
    return {
        "events_read": counts.get("events_read", 0),
        "events_kept": counts.get("events_kept", 0),
        "events_rejected": rejected,
        "events_deduplicated": counts.get("events_deduplicated", 0),
        "users": counts.get("users", 0),
        "items": counts.get("items", 0),
        "interactions": counts.get("interactions", 0),
        "examples": {split: examples.get(split, 0) for split in features.SPLITS},
        "labels": {
            split: {p: labels.get(split, {}).get(p, 0) for p in polarities}
            for split in features.SPLITS
        },
        "split_times_ms": list(cuts_ms) if cuts_ms else None,
        "spans": list(spans),
    }


def to_json(report: Counts) -> str:
    """Returns a report as text with sorted keys."""
    return json.dumps(report, indent=2, sort_keys=True) + "\n"


def check(
    read: int,
    kept: int,
    rejected: Mapping[str, int],
    max_rejected_share: float,
    source: str,
    dead_letters: str,
) -> None:
    """Raises if a source has too many refused rows, or no usable one.

    Args:
      read: rows read.
      kept: rows that are used.
      rejected: refused rows by reason.
      max_rejected_share: largest share of the rows read.
      source: the location, for the message.
      dead_letters: folder of the refused rows, for the message.

    Raises:
      InputError: with the counts by reason, most frequent first.
    """
    total = sum(rejected.values())
    by_reason = ", ".join(
        f"{reason} {count}"
        for reason, count in sorted(rejected.items(), key=lambda x: (-x[1], x[0]))
    )
    where = f"the rows are in {dead_letters}"
    if not kept:
        refused = f" ({by_reason}); {where}" if total else ""
        raise errors.InputError(
            f"{source} holds no usable row: {read} read, {total} rejected{refused}."
        )
    if total > max_rejected_share * read:
        raise errors.InputError(
            f"{source}: {total} of {read} rows were rejected ({by_reason}), more than "
            f"`data.max_rejected_share` = {max_rejected_share:g} allows; {where}. "
            f"Mend the log or the mapping, or raise the share."
        )


def check_splits(report: Counts, data: settings.DataSettings) -> None:
    """Raises if nothing is left to train on.

    Raises:
      InputError: the training split holds no label.
    """
    if not report["examples"][features.TRAIN]:
        raise errors.InputError(
            f"{data.events}: the training split is empty; the time cuts "
            f"{report['split_times_ms']} leave no event before them. Lower "
            f"`data.split_quantiles`, or set `data.split` to 'leave_last_out'."
        )
