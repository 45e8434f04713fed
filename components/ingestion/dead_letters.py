"""The rows that were refused, one JSON line each, so that nothing is lost silently."""

from __future__ import annotations

import json
from collections.abc import Iterable

from components.event_example_gen import mapping
from components.ingestion import blocks, tfrecords
from schema import features, settings


def line(path: str, refused: blocks.Rejected) -> str:
    """Returns one refused row as a JSON line.

    Keys: `file`, `position` (line number from 1, or row index from 0 in Parquet),
    `reason`, `raw` (the row as text), and `rows` where one line stands for several.
    """
    record: dict[str, object] = {
        "file": path,
        "position": refused.position,
        "reason": refused.reason,
        "raw": refused.raw,
    }
    if refused.rows != 1:
        record["rows"] = refused.rows
    return json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"


def refused_rows(
    block: blocks.Block, reasons: mapping.Reasons
) -> list[blocks.Rejected]:
    """Returns all refused rows of a block, the unreadable and the unusable."""
    rows = reasons.rejected()
    if not len(rows):
        return sorted(block.rejected)
    unusable = [
        blocks.Rejected(int(block.position[row]), reasons.of(row), raw)
        for row, raw in zip(rows, block.raw_rows(rows), strict=True)
    ]
    return sorted([*block.rejected, *unusable])


def count_by_reason(refused: Iterable[blocks.Rejected]) -> dict[str, int]:
    """Returns how many rows were refused for each reason."""
    counts: dict[str, int] = {}
    for row in refused:
        counts[row.reason] = counts.get(row.reason, 0) + row.rows
    return counts


def compressed(path: str, refused: list[blocks.Rejected]) -> tuple[int, bytes]:
    """Returns refused rows of a file as a gzip member, and the first position."""
    lines = "".join(line(path, row) for row in refused)
    return refused[0].position, tfrecords.gzip_member(lines.encode("utf-8"))


def dropped_lines(
    dropped: mapping.Events,
    reason: str,
    paths: list[str],
    policy: settings.FeedbackSettings,
) -> Iterable[str]:
    """Yields good events that a policy drops, whose raw rows are no longer at hand.

    The canonical event stands in place of the raw row.
    """
    names = policy.names()
    for row in range(len(dropped.user)):
        value = float(dropped.value[row])
        event = {
            features.USER_ID: dropped.user_ids[int(dropped.user[row])].as_py(),
            features.ITEM_ID: dropped.item_ids[int(dropped.item[row])].as_py(),
            features.TIMESTAMP: int(dropped.timestamp[row]),
            features.ACTION: names[dropped.action[row]],
            features.VALUE: None if value != value else value,
        }
        path = paths[dropped.file[row]] if dropped.file is not None else ""
        position = int(dropped.position[row]) if dropped.position is not None else -1
        yield line(
            path,
            blocks.Rejected(position, reason, json.dumps(event)),
        )
