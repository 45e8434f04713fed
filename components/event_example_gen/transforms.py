"""The Beam path from the files of a log to examples, dead letters and counts."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from components.event_example_gen import (
    distinct,
    encode_windows,
    find_cuts,
    interactions,
    mapping,
    partition,
    plan,
    report,
    write_files,
)
from components.ingestion import (
    blocks,
    dead_letters,
    locations,
    sources,
    spill,
    tfrecords,
    units,
)
from schema import events as events_schema
from schema import features

_COUNTS = encode_windows.COUNTS
_REJECTED, _TIMES, _ITEMS, _NEWEST = "rejected", "times", "items", "newest"


class ReadEvents(beam.DoFn):
    """Reads a unit of a log into buckets of canonical events."""

    def __init__(self, ingestion: plan.IngestionPlan):
        """Keeps the plan."""
        self._plan = ingestion

    def process(self, unit: units.Unit) -> Iterator[Any]:
        """Yields (bucket, piece: events as IPC bytes), counts and dead letters."""
        file, row_groups = unit
        columns = self._plan.mapping.columns
        with sources.open_file(file.path) as stream:
            for block in sources.read_blocks(
                stream,
                file,
                row_groups,
                mapping.source_columns(self._plan.mapping),
                dictionary_columns=(columns.user_id, columns.item_id, columns.action),
                block_bytes=self._plan.block_bytes,
            ):
                yield from self._convert(file, block)

    def _convert(
        self, file: locations.SourceFile, block: blocks.Block
    ) -> Iterator[Any]:
        if block.table.num_rows:
            events, reasons = mapping.to_events(
                block.table,
                self._plan.mapping,
                self._plan.data,
                self._plan.feedback.names(),
                self._plan.now_ms,
            )
        else:
            events, reasons = None, mapping.Reasons(0)
        refused = dead_letters.refused_rows(block, reasons)
        counts: report.Counts = {
            "events_read": block.table.num_rows
            + sum(row.rows for row in block.rejected)
        }
        if refused:
            counts["events_rejected"] = dead_letters.count_by_reason(refused)
            yield beam.pvalue.TaggedOutput(
                _REJECTED, (file.index, dead_letters.compressed(file.path, refused))
            )
        yield beam.pvalue.TaggedOutput(_COUNTS, counts)
        if events is None:
            return
        if self._plan.drops_good_events:
            events = mapping.followed(events, file.index, block.position)
        if len(reasons.names) > 1:
            events = events.take(reasons.code == 0)
        if self._plan.data.lookback_window_days and len(events.user):
            yield beam.pvalue.TaggedOutput(_NEWEST, int(events.timestamp.max()))
        buckets = dict(partition.partition(events, self._plan.num_buckets))
        pieces = self._plan.spill.put(list(buckets.values()))
        yield from zip(buckets, pieces, strict=True)


class BuildInteractions(beam.DoFn):
    """Orders, cleans and merges the events of one bucket of users."""

    def __init__(self, ingestion: plan.IngestionPlan):
        """Keeps the plan."""
        self._plan = ingestion

    def process(
        self, element: tuple[int, Iterable[spill.Piece]], newest_ms: int | None
    ) -> Iterator[Any]:
        """Yields (bucket, piece: interactions), and what the reports need."""
        bucket, pieces = element
        events = partition.from_ipc([spill.get(piece) for piece in pieces])
        dropped = {}
        late = self._late(events, newest_ms)
        if late.any():
            dropped[events_schema.LATE_TIMESTAMP] = events.take(late)
            events = events.take(~late)
        ordered = interactions.order_events(
            events, self._plan.data.max_events_per_user_per_day
        )
        if len(ordered.over_limit.user):
            dropped[events_schema.OVER_DAILY_LIMIT] = ordered.over_limit
        kept = ordered.events
        history = interactions.merge(kept, self._plan.history.merge_window_ms)
        counts: report.Counts = {
            "events_kept": len(kept.user),
            "events_deduplicated": ordered.num_duplicates,
            "users": len(history.user_ids),
            "interactions": len(history.item),
        }
        if dropped:
            counts["events_rejected"] = {
                reason: len(rows.user) for reason, rows in dropped.items()
            }
            lines = [
                line
                for reason, rows in dropped.items()
                for line in dead_letters.dropped_lines(
                    rows, reason, self._plan.paths, self._plan.feedback
                )
            ]
            letters = tfrecords.gzip_member("".join(lines).encode("utf-8"))
            yield beam.pvalue.TaggedOutput(
                _REJECTED, (write_files.NO_FILE, (bucket, letters))
            )
        yield beam.pvalue.TaggedOutput(_COUNTS, counts)
        if self._plan.needs_quantiles:
            times = kept.timestamp - self._plan.data.min_timestamp_ms
            (piece,) = self._plan.spill.put([times.tobytes()])
            yield beam.pvalue.TaggedOutput(_TIMES, piece)
        yield beam.pvalue.TaggedOutput(_ITEMS, history.used_items())
        (piece,) = self._plan.spill.put([pickle.dumps(history, protocol=5)])
        yield bucket, piece

    def _late(self, events: mapping.Events, newest_ms: int | None) -> np.ndarray:
        """Returns which events lie before the lookback window, as a mask."""
        days = self._plan.data.lookback_window_days
        if days is None or newest_ms is None:
            return np.zeros(len(events.user), bool)
        return events.timestamp < newest_ms - days * interactions.MS_PER_DAY


def _write_items(items: pa.Array, report_dir: str) -> report.Counts:
    table = pa.table({features.ITEM_ID: items.take(compute.sort_indices(items))})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    path = f"{report_dir}/{report.ITEMS_FILE}"
    write_files.write_atomically(path, [sink.getvalue()])
    return {"items": len(items)}


def _newest(times_ms: Iterable[int]) -> int:
    return max(times_ms, default=0)


def _write_shard(
    element: tuple[tuple[str, int], Iterable[tuple[int, spill.Piece]]],
    ingestion: plan.IngestionPlan,
) -> None:
    (split, shard), members = element
    num_shards = ingestion.data.example_shards
    name = f"examples-{shard:05d}-of-{num_shards:05d}.gz"
    # By bucket, so that the file does not depend on which worker was first.
    ordered = sorted(members, key=operator.itemgetter(0))
    if len(ordered) > 1:
        del ordered[0]  # the mark of an empty shard
    parts = (spill.get(piece) for _, piece in ordered)
    write_files.write_atomically(f"{ingestion.examples_dir[split]}/{name}", parts)


def _write_report(
    counts: report.Counts,
    cuts_ms: tuple[int, int] | None,
    ingestion: plan.IngestionPlan,
) -> None:
    text = report.to_json(report.ingestion_report(counts, cuts_ms, ingestion.spans))
    write_files.write_atomically(
        f"{ingestion.report_dir}/{report.REPORT_FILE}", [text.encode("utf-8")]
    )


class IngestEvents(beam.PTransform):
    """Writes examples, dead letters and `ingestion.json` of a log."""

    def __init__(self, ingestion: plan.IngestionPlan):
        """Keeps the plan."""
        super().__init__()
        self._plan = ingestion

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns the written report's counts, one element."""
        read = (
            pipeline
            | "Files" >> beam.Create(self._plan.files)
            | "ListUnits" >> beam.FlatMap(units.list_units)
            | "SpreadUnits" >> beam.Reshuffle()
            | "ReadEvents"
            >> beam.ParDo(ReadEvents(self._plan)).with_outputs(
                _COUNTS, _REJECTED, _NEWEST, main="buckets"
            )
        )
        newest_ms = None
        if self._plan.data.lookback_window_days:
            newest_ms = beam.pvalue.AsSingleton(
                read[_NEWEST] | "Newest" >> beam.CombineGlobally(_newest)
            )
        built = (
            read["buckets"]
            | "GroupByBucket" >> beam.GroupByKey()
            | "BuildInteractions"
            >> beam.ParDo(BuildInteractions(self._plan), newest_ms).with_outputs(
                _COUNTS, _REJECTED, _TIMES, _ITEMS, main="histories"
            )
        )
        cuts = self._cuts(pipeline, built[_TIMES])
        encoded = built["histories"] | "EncodeWindows" >> beam.ParDo(
            encode_windows.EncodeWindows(self._plan), cuts
        ).with_outputs(_COUNTS, main="examples")
        self._write_examples(pipeline, encoded["examples"])
        _ = (
            (read[_REJECTED], built[_REJECTED])
            | "AllLetters" >> beam.Flatten()
            | "WriteLetters"
            >> write_files.WriteLetters(self._plan.report_dir, "policy")
        )
        items = (
            built[_ITEMS]
            | "UniqueItems" >> beam.CombineGlobally(distinct.unique)
            | "WriteItems" >> beam.Map(_write_items, self._plan.report_dir)
        )
        counts = (
            (read[_COUNTS], built[_COUNTS], encoded[_COUNTS], items)
            | "AllCounts" >> beam.Flatten()
            | "SumCounts" >> beam.CombineGlobally(report.add_counts)
        )
        _ = counts | "WriteReport" >> beam.Map(_write_report, cuts, self._plan)
        return counts

    def _cuts(self, pipeline: beam.Pipeline, times: beam.PCollection) -> Any:
        """Returns the cuts, as a value or as a side input."""
        data = self._plan.data
        if not self._plan.needs_quantiles:
            return None if data.split == "leave_last_out" else data.split_times_ms
        return beam.pvalue.AsSingleton(times | "FindCuts" >> find_cuts.FindCuts(data))

    def _write_examples(
        self, pipeline: beam.Pipeline, examples: beam.PCollection
    ) -> None:
        # A shard without examples is written too: readers count on the full set.
        empty = [
            ((split, shard), (-1, tfrecords.compressed([])))
            for split in features.SPLITS
            for shard in range(self._plan.data.example_shards)
        ]
        _ = (
            (examples, pipeline | "EmptyShards" >> beam.Create(empty))
            | "AllShards" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            | "WriteShard" >> beam.Map(_write_shard, self._plan)
        )
