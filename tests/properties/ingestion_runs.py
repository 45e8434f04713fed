"""Runs the event path over rows written as files, and reads what it wrote."""

from __future__ import annotations

import collections
import csv
import gzip
import io
import json
import pathlib
import struct

import apache_beam as beam
import numpy as np
import pyarrow as pa
from pyarrow import parquet
from tfx_bsl.coders import example_coder

from components.event_example_gen import cuts, plan, transforms
from components.ingestion import locations
from schema import settings
from tests.properties import event_oracle

POLARITY = {
    "like": "positive",
    "view": "positive",
    "seen": "neutral",
    "dislike": "negative",
}


ELEMENT_FEATURES = (
    "item_id",
    "timestamp",
    "action",
    "value",
    "value_present",
    "is_label",
)


def feedback() -> settings.FeedbackSettings:
    return settings.FeedbackSettings(
        actions={
            name: settings.ActionPolicy(polarity=polarity)
            for name, polarity in POLARITY.items()
        }
    )


def data_settings(rules: event_oracle.Rules, **more) -> settings.DataSettings:
    return settings.DataSettings(
        events="test",
        split=rules.split,
        # A cut in time knows no such number, and the settings refuse it.
        held_out_interactions=(
            rules.held_out if rules.split == "leave_last_out" else 1
        ),
        split_quantiles=rules.quantiles,
        min_timestamp_ms=rules.min_ms,
        max_timestamp_ms=rules.max_ms,
        max_events_per_user_per_day=rules.daily_limit,
        lookback_window_days=(rules.lookback_ms / event_oracle.DAY_MS) or None,
        max_future_ms=rules.max_future_ms,
        **more,
    )


def history_settings(rules: event_oracle.Rules) -> settings.HistorySettings:
    return settings.HistorySettings(
        max_length=rules.max_length,
        min_context=rules.min_context,
        merge_window_ms=rules.merge_ms,
    )


def time_cuts(times: np.ndarray, rules: event_oracle.Rules) -> tuple[int, ...]:
    """Returns the cuts of the splits, searched for in one place."""
    searches = [cuts.Search(quantile) for quantile in rules.quantiles]
    for left in range(cuts.num_rounds(rules.max_ms), 0, -1):
        searches = cuts.advance(searches, cuts.count_digits(times, searches, left))
    return tuple(search.prefix for search in searches)


def csv_bytes(rows, columns=event_oracle.COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def jsonl_bytes(rows) -> bytes:
    lines = []
    for row in rows:
        cells = {k: v for k, v in row._asdict().items() if v != ""}
        lines.append(json.dumps(cells) + "\n")
    return "".join(lines).encode("utf-8")


def file_bytes(name: str, rows) -> bytes:
    """Returns rows in the text format that the file's name says; cells are text."""
    data = csv_bytes(rows) if ".csv" in name else jsonl_bytes(rows)
    return gzip.compress(data) if name.endswith(".gz") else data


def write_file(path: pathlib.Path, rows) -> None:
    """Writes rows in the format that the file's name says; all cells are text."""
    if path.suffix != ".parquet":
        path.write_bytes(file_bytes(path.name, rows))
        return
    table = pa.table(
        {
            column: pa.array([row[i] for row in rows], pa.string())
            for i, column in enumerate(event_oracle.COLUMNS)
        }
    )
    parquet.write_table(table, path, row_group_size=7)


def ingest(
    folder: pathlib.Path,
    paths,
    rules: event_oracle.Rules,
    mapping: settings.EventMapping | None = None,
    block_bytes: int = 2**24,
    beam_args: list[str] | None = None,
    judge_share: float = 0.0,
    **data,
) -> dict:
    """Runs the Beam path and returns the report, with the decoded examples."""
    files = locations.source_files(map(str, paths), "test", "data.events")
    settings_ = data_settings(rules, **data)
    ingestion = plan.IngestionPlan(
        files=tuple(files),
        data=settings_,
        mapping=mapping or settings.EventMapping(),
        feedback=feedback(),
        history=history_settings(rules),
        examples_dir={
            split: str(folder / f"Split-{split}")
            for split in ("train", "eval", "test", "judge")[: 4 if judge_share else 3]
        },
        judge_share=judge_share,
        report_dir=str(folder / "report"),
        block_bytes=block_bytes,
        now_ms=rules.now_ms,
        spill_dir=str(folder / "spill") if settings_.spill else "",
    )
    argv = ["--runner=FnApiRunner", *(beam_args or [])]
    with beam.Pipeline(argv=argv) as pipeline:
        _ = pipeline | transforms.IngestEvents(ingestion)
    report = json.loads((folder / "report" / "ingestion.json").read_text())
    assert report.pop("spans") == []
    counts = report["examples"]
    report["examples"] = {
        split: read_examples(folder / f"Split-{split}") for split in counts
    }
    assert counts == {split: len(found) for split, found in report["examples"].items()}
    return report


def tfrecords(path: pathlib.Path) -> list[bytes]:
    """Reads a TFRecord file without TensorFlow; checksums are not looked at."""
    data = gzip.decompress(path.read_bytes())
    records, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        records.append(data[at + 12 : at + 12 + length])
        at += 16 + length
    return records


def read_examples(folder: pathlib.Path) -> list[tuple]:
    """Returns the examples of a split in the oracle's form, sorted."""
    return sorted(
        decode(record)
        for path in folder.glob("examples-*.gz")
        for record in tfrecords(path)
    )


def decode(record: bytes) -> tuple:
    """Returns an example in the oracle's form, by the C++ coder of tfx_bsl."""
    features = example_coder.ExampleToNumpyDict(record)
    columns = [features[name].tolist() for name in ELEMENT_FEATURES]
    (user,) = features["user_id"].tolist()
    return user, tuple(zip(*columns, strict=True))


def dead_letters(folder: pathlib.Path) -> list[dict]:
    return [
        json.loads(line)
        for path in sorted((folder / "report").glob("rejected-*.jsonl.gz"))
        for line in gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
    ]


def reasons(letters: list[dict]) -> dict[str, int]:
    found = collections.Counter()
    for letter in letters:
        found[letter["reason"]] += letter.get("rows", 1)
    return dict(found)
