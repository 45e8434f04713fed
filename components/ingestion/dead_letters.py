"""The rows that were refused, one JSON line each, so that nothing is lost silently."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable

import apache_beam as beam

from components.ingestion import blocks, refusals, tfrecords
from schema import files

NO_FILE = -1
"""Key of dead letters that belong to no single file."""


def refused_rows(
    block: blocks.Block, reasons: refusals.Reasons
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


def compressed(refused: Iterable[tuple[str, blocks.Rejected]]) -> bytes:
    """Returns refused rows, each with the path of its file, as a gzip member."""
    lines = "".join(_line(path, row) for path, row in refused)
    return tfrecords.gzip_member(lines.encode("utf-8"))


def _line(path: str, refused: blocks.Rejected) -> str:
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


@dataclasses.dataclass(eq=False)
class WriteLetters(beam.PTransform):
    """Writes dead letters: `rejected-00000.jsonl.gz` for the first file, and so on.

    Takes (file index, (position, gzip member)); members are joined by position.
    """

    report_dir: str
    """Their folder."""
    name_without_file: str
    """Stands in place of the number for rows of `NO_FILE`."""

    def expand(self, letters: beam.PCollection) -> beam.PCollection:
        """Returns nothing of use."""
        return (
            letters
            | "GroupByFile" >> beam.GroupByKey()
            | "Write" >> beam.MapTuple(self._write)
        )

    def _write(self, file: int, members: Iterable[tuple[int, bytes]]) -> None:
        name = self.name_without_file if file == NO_FILE else f"{file:05d}"
        path = f"{self.report_dir}/rejected-{name}.jsonl.gz"
        files.write_atomically(path, [member for _, member in sorted(members)])
