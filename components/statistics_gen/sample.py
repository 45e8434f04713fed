"""An even sample of a file's records, in one pass and without knowing how many come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Sample(NamedTuple):
    """What was kept of some records."""

    records: list[bytes]
    """Every 2**n-th one, from the first on, for the least n that keeps the limit."""
    num_records: int
    """How many there were."""


def every_nth(records: Iterable[bytes], limit: int) -> Sample:
    """Returns at most `limit` records in equal steps; the same in every run.

    A file of examples holds its users in the order of a hash, or its items sorted by
    id: equal steps see all of it, where its beginning would not.

    Args:
      records: of one file.
      limit: at least 1.

    Example:
      >>> every_nth([b"a", b"b", b"c", b"d", b"e"], 2)
      Sample(records=[b'a', b'e'], num_records=5)
    """
    kept: list[bytes] = []
    step, position = 1, -1
    for position, record in enumerate(records):
        if position % step:
            continue
        if len(kept) == limit:
            kept, step = kept[::2], 2 * step
            if position % step:
                continue
        kept.append(record)
    return Sample(kept, position + 1)
