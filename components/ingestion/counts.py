"""What ingestion counted: merged over workers, and judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schema import errors

ITEMS_FILE = "items.parquet"
"""Stands beside the counts of a log: its distinct item ids, sorted."""
# One worker's share of the counts; nested dicts of integers add up key by key.
Counts = dict[str, Any]


def add(parts: Iterable[Counts]) -> Counts:
    """Returns the sum of counts, key by key at every level.

    Example:
      >>> add([{"a": 1, "b": {"x": 1}}, {"b": {"x": 2}}])
      {'a': 1, 'b': {'x': 3}}
    """
    total: Counts = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, Mapping):
                total[key] = add([total.get(key, {}), dict(value)])
            else:
                total[key] = total.get(key, 0) + value
    return total


def check(
    read: int,
    kept: int,
    repeated: int,
    rejected: Mapping[str, int],
    max_rejected_share: float,
    source: str,
    dead_letters: str,
) -> None:
    """Raises if a source has too many refused rows, or no usable one.

    Args:
      read: rows read.
      kept: rows that are used.
      repeated: rows dropped because another one says the same.
      rejected: refused rows by reason.
      max_rejected_share: largest share of the rows read.
      source: the location, for the message.
      dead_letters: folder of the refused rows, for the message.

    Raises:
      InputError: with the counts by reason, most frequent first.
      RuntimeError: rows are missing from the counts.
    """
    total = sum(rejected.values())
    accounted = kept + repeated + total
    if read != accounted:
        raise RuntimeError(
            f"{source}: rows were lost: {read} read, but only {accounted} kept, "
            f"rejected or repeated"
        )
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
