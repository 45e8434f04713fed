"""The Beam path from the files of a log to examples, dead letters and counts."""

from __future__ import annotations

import dataclasses
import json
import operator
import pickle
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from components.event_example_gen import (
    cuts,
    encode_windows,
    interactions,
    mapping,
    partition,
    plan,
    report,
)
from components.ingestion import (
    blocks,
    counts,
    dead_letters,
    locations,
    read_files,
    refusals,
    shuffle,
    text_blocks,
    tfrecords,
)
from schema import events as events_schema
from schema import features, files, reports

_COUNTS, _REJECTED = read_files.COUNTS, read_files.REJECTED
_TIMES, _ITEMS, _NEWEST = "times", "items", "newest"


class ReadEvents(read_files.ReadRows[mapping.Events]):
    """Reads a unit of a log into buckets of canonical events."""

    name = "events"

    def __init__(self, ingestion: plan.IngestionPlan):
        columns = ingestion.mapping.columns
        super().__init__(
            mapping.column_uses(ingestion.mapping),
            ingestion.block_bytes,
            dictionary_columns=(columns.user_id, columns.item_id, columns.action),
            limits=text_blocks.Limits.of(ingestion.data),
        )
        self._plan = ingestion

    def map_rows(self, table: pa.Table) -> tuple[mapping.Events, refusals.Reasons]:
        """Returns all rows as events, and which of them are refused."""
        return mapping.to_events(
            table,
            self._plan.mapping,
            self._plan.data,
            self._plan.feedback.names(),
            self._plan.now_ms,
        )

    def pieces(
        self,
        rows: mapping.Events,
        is_good: NDArray[np.bool_],
        file: locations.SourceFile,
        block: blocks.Block,
    ) -> Iterator[Any]:
        """Yields (bucket, piece: events as IPC bytes) and the newest time."""
        if self._plan.drops_good_events:
            rows = mapping.followed(rows, file.index, block.position)
        if not is_good.all():
            rows = rows.take(is_good)
        if self._plan.data.lookback_window_days and len(rows.user):
            yield beam.pvalue.TaggedOutput(_NEWEST, int(rows.timestamp.max()))
        buckets = dict(partition.partition(rows, self._plan.num_buckets))
        pieces = self._plan.spill.put(list(buckets.values()))
        yield from zip(buckets, pieces, strict=True)


@dataclasses.dataclass(eq=False)
class BuildInteractions(beam.DoFn):
    """Orders, cleans and merges the events of one bucket of users."""

    ingestion: plan.IngestionPlan

    def process(
        self, element: tuple[int, Iterable[shuffle.Piece]], newest_ms: int | None
    ) -> Iterator[Any]:
        """Yields (bucket, piece: interactions), and what the reports need."""
        bucket, pieces = element
        events = partition.from_ipc([shuffle.get(piece) for piece in pieces])
        dropped = {}
        late = self._late(events, newest_ms)
        if late.any():
            dropped[events_schema.LATE_TIMESTAMP] = events.take(late)
            events = events.take(~late)
        ordered = interactions.order_events(
            events, self.ingestion.data.max_events_per_user_per_day
        )
        if len(ordered.over_limit.user):
            dropped[events_schema.OVER_DAILY_LIMIT] = ordered.over_limit
        kept = ordered.events
        history = interactions.merge(kept, self.ingestion.history.merge_window_ms)
        found: counts.Counts = {
            "events_kept": len(kept.user),
            "events_deduplicated": ordered.num_duplicates,
            "users": len(history.user_ids),
            "interactions": len(history.item),
        }
        if dropped:
            letters = [
                letter
                for reason, rows in dropped.items()
                for letter in self._letters(rows, reason)
            ]
            found["events_rejected"] = dead_letters.count_by_reason(
                refused for _, refused in letters
            )
            member = dead_letters.compressed(letters)
            yield beam.pvalue.TaggedOutput(
                _REJECTED, (dead_letters.NO_FILE, (bucket, member))
            )
        yield beam.pvalue.TaggedOutput(_COUNTS, found)
        if self.ingestion.needs_quantiles:
            times = kept.timestamp - self.ingestion.data.min_timestamp_ms
            (piece,) = self.ingestion.spill.put([times.tobytes()])
            yield beam.pvalue.TaggedOutput(_TIMES, piece)
        yield beam.pvalue.TaggedOutput(_ITEMS, history.used_items())
        (piece,) = self.ingestion.spill.put([pickle.dumps(history, protocol=5)])
        yield bucket, piece

    def _late(self, events: mapping.Events, newest_ms: int | None) -> NDArray[np.bool_]:
        """Returns which events lie before the lookback window, as a mask."""
        days = self.ingestion.data.lookback_window_days
        if days is None or newest_ms is None:
            return np.zeros(len(events.user), bool)
        return events.timestamp < newest_ms - days * interactions.MS_PER_DAY

    def _letters(
        self, dropped: mapping.Events, reason: str
    ) -> Iterator[tuple[str, blocks.Rejected]]:
        """Yields good events that a policy drops, whose raw rows are no longer at hand.

        The canonical event stands in place of the raw row.
        """
        names = self.ingestion.feedback.names()
        for row in range(len(dropped.user)):
            value = float(dropped.value[row])
            event = {
                features.USER_ID: dropped.user_ids[int(dropped.user[row])].as_py(),
                features.ITEM_ID: dropped.item_ids[int(dropped.item[row])].as_py(),
                features.TIMESTAMP: int(dropped.timestamp[row]),
                features.ACTION: names[dropped.action[row]],
                features.VALUE: None if np.isnan(value) else value,
            }
            path, position = "", -1
            if dropped.file is not None and dropped.position is not None:
                path = self.ingestion.files[dropped.file[row]].path
                position = int(dropped.position[row])
            yield path, blocks.Rejected(position, reason, json.dumps(event))


def _unique(parts: Iterable[pa.Array]) -> pa.Array:
    """Returns the distinct values of all parts, which can be results of this."""
    arrays = [part for part in parts if len(part)]
    return pa.concat_arrays(arrays).unique() if arrays else pa.array([], pa.string())


def _write_items(items: pa.Array, report_dir: str) -> counts.Counts:
    table = pa.table({features.ITEM_ID: items.take(compute.sort_indices(items))})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    files.write_atomically(f"{report_dir}/{counts.ITEMS_FILE}", [sink.getvalue()])
    return {"items": len(items)}


def _newest(times_ms: Iterable[int]) -> int:
    return max(times_ms, default=0)


def _write_shard(
    element: tuple[tuple[str, int], Iterable[tuple[int, shuffle.Piece]]],
    ingestion: plan.IngestionPlan,
) -> None:
    (split, shard), members = element
    name = tfrecords.file_name(shard, ingestion.data.example_shards)
    # By bucket, so that the file does not depend on which worker was first.
    ordered = sorted(members, key=operator.itemgetter(0))
    if len(ordered) > 1:
        del ordered[0]  # the mark of an empty shard
    parts = (shuffle.get(piece) for _, piece in ordered)
    files.write_atomically(f"{ingestion.examples_dir[split]}/{name}", parts)


def _write_report(
    found: counts.Counts, cuts_ms: tuple[int, int] | None, ingestion: plan.IngestionPlan
) -> None:
    content = report.ingestion_report(
        found, cuts_ms, ingestion.spans, list(ingestion.examples_dir)
    )
    reports.write(f"{ingestion.report_dir}/{reports.INGESTION_FILE}", content)


@dataclasses.dataclass(eq=False)
class IngestEvents(beam.PTransform):
    """Writes examples, dead letters and `ingestion.json` of a log."""

    ingestion: plan.IngestionPlan

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns the written report's counts, one element."""
        read = pipeline | "ReadEvents" >> read_files.ReadFiles(
            self.ingestion.files, ReadEvents(self.ingestion), (_NEWEST,)
        )
        newest_ms = None
        if self.ingestion.data.lookback_window_days:
            newest_ms = beam.pvalue.AsSingleton(
                read[_NEWEST] | "Newest" >> beam.CombineGlobally(_newest)
            )
        built = (
            read[read_files.PIECES]
            | "GroupByBucket" >> beam.GroupByKey()
            | "BuildInteractions"
            >> beam.ParDo(BuildInteractions(self.ingestion), newest_ms).with_outputs(
                _COUNTS, _REJECTED, _TIMES, _ITEMS, main="histories"
            )
        )
        cuts_ms = self._cuts(built[_TIMES])
        encoded = built["histories"] | "EncodeWindows" >> beam.ParDo(
            encode_windows.EncodeWindows(self.ingestion), cuts_ms
        ).with_outputs(_COUNTS, main="examples")
        self._write_examples(pipeline, encoded["examples"])
        _ = (
            (read[_REJECTED], built[_REJECTED])
            | "AllLetters" >> beam.Flatten()
            | "WriteLetters"
            >> dead_letters.WriteLetters(self.ingestion.report_dir, "policy")
        )
        items = (
            built[_ITEMS]
            | "UniqueItems" >> beam.CombineGlobally(_unique)
            | "WriteItems" >> beam.Map(_write_items, self.ingestion.report_dir)
        )
        found = (
            (read[_COUNTS], built[_COUNTS], encoded[_COUNTS], items)
            | "AllCounts" >> beam.Flatten()
            | "SumCounts" >> beam.CombineGlobally(counts.add)
        )
        _ = found | "WriteReport" >> beam.Map(_write_report, cuts_ms, self.ingestion)
        return found

    def _cuts(self, times: beam.PCollection) -> Any:
        """Returns the cuts, as a value or as a side input."""
        data = self.ingestion.data
        if not self.ingestion.needs_quantiles:
            return None if data.split == "leave_last_out" else data.split_times_ms
        return beam.pvalue.AsSingleton(times | "FindCuts" >> cuts.FindCuts(data))

    def _write_examples(
        self, pipeline: beam.Pipeline, examples: beam.PCollection
    ) -> None:
        # A shard without examples is written too: readers count on the full set.
        empty = [
            ((split, shard), (-1, tfrecords.compressed([])))
            for split in self.ingestion.examples_dir
            for shard in range(self.ingestion.data.example_shards)
        ]
        _ = (
            (examples, pipeline | "EmptyShards" >> beam.Create(empty))
            | "AllShards" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            | "WriteShard" >> beam.Map(_write_shard, self.ingestion)
        )
