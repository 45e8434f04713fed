"""The Beam path from the files of a catalogue to one example per item."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from pyarrow import compute

from components.event_example_gen import mapping as event_mapping
from components.event_example_gen import partition, report, write_files
from components.ingestion import (
    blocks,
    dead_letters,
    locations,
    sources,
    tfrecords,
    units,
)
from components.item_catalog_gen import encoding, mapping, plan
from components.item_catalog_gen import logged as logged_items
from components.item_catalog_gen import report as catalog_report
from schema import features, items

_COUNTS, _REJECTED = "counts", "rejected"
_FILE, _POSITION, _ROWS = "file", "position", "rows"
_FEATURES = list(mapping.SCHEMA.names)
_NO_ROWS = pa.table(
    {
        **{field.name: pa.array([], field.type) for field in mapping.SCHEMA},
        **{name: pa.array([], pa.int64()) for name in (_FILE, _POSITION, _ROWS)},
    }
)


Piece = tuple[bytes, list[bytes]]
"""Items as IPC bytes, or b""; ids of the log."""


class ReadItems(beam.DoFn):
    """Reads a unit of a source into shards of canonical items."""

    def __init__(self, catalog: plan.CatalogPlan):
        """Keeps the plan."""
        self._plan = catalog

    def process(self, unit: units.Unit) -> Iterator[Any]:
        """Yields (shard, items as IPC bytes), counts and dead letters."""
        file, row_groups = unit
        of_events = self._plan.event_item_column
        declared = self._plan.data.item_features
        with sources.open_file(file.path) as stream:
            for block in sources.read_blocks(
                stream,
                file,
                row_groups,
                [of_events]
                if of_events
                else mapping.source_columns(self._plan.mapping, declared),
                list_columns=self._plan.list_columns,
                dictionary_columns=(of_events,) if of_events else (),
                block_bytes=self._plan.block_bytes,
            ):
                yield from self._convert(file, block)

    def _convert(
        self, file: locations.SourceFile, block: blocks.Block
    ) -> Iterator[Any]:
        raw = block.table
        reasons = event_mapping.Reasons(raw.num_rows)
        table = None
        if raw.num_rows and self._plan.event_item_column:
            ids = mapping.item_ids(raw[self._plan.event_item_column], reasons)
            table = mapping.only_ids(ids)
        elif raw.num_rows:
            table, reasons = mapping.to_items(
                raw, self._plan.mapping, self._plan.data.item_features
            )
        refused = dead_letters.refused_rows(block, reasons)
        counts: report.Counts = {
            "items_read": raw.num_rows + sum(row.rows for row in block.rejected)
        }
        if refused:
            counts["items_rejected"] = dead_letters.count_by_reason(refused)
            yield beam.pvalue.TaggedOutput(
                _REJECTED,
                (file.index, dead_letters.compressed(file.path, refused)),
            )
        yield beam.pvalue.TaggedOutput(_COUNTS, counts)
        if table is None:
            return
        table = table.append_column(
            _FILE, pa.array(np.full(raw.num_rows, file.index, np.int64))
        ).append_column(_POSITION, pa.array(block.position))
        good = table.filter(pa.array(reasons.code == 0))
        if self._plan.event_item_column:
            good = _first_of_each(good)
        else:
            good = good.append_column(_ROWS, pa.array(np.ones(good.num_rows, np.int64)))
        yield from _shards(good, self._plan.num_shards)


def _first_of_each(table: pa.Table) -> pa.Table:
    """Returns one row per item, with how many rows it stands for."""
    ids = table[features.ITEM_ID].combine_chunks().flatten()
    encoded = ids.dictionary_encode()
    _, first, rows = np.unique(
        np.asarray(encoded.indices), return_index=True, return_counts=True
    )
    return table.take(pa.array(first)).append_column(_ROWS, pa.array(rows))


def _shards(table: pa.Table, num_shards: int) -> Iterator[tuple[int, Piece]]:
    if not table.num_rows:
        return
    ids = table[features.ITEM_ID].combine_chunks().flatten()
    shard = partition.bucket_of(ids, num_shards)
    for index in np.unique(shard).tolist():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.filter(pa.array(shard == index)))
        yield index, (sink.getvalue().to_pybytes(), [])


def _log_pieces(path: str, num_shards: int) -> Iterator[tuple[int, Piece]]:
    for shard, ids in logged_items.read_shards(path, num_shards):
        yield shard, (b"", ids)


class EncodeItems(beam.DoFn):
    """Keeps the first row of each item of a shard, and writes their examples."""

    def __init__(self, catalog: plan.CatalogPlan):
        """Keeps the plan."""
        self._plan = catalog

    def process(self, element: tuple[int, Iterable[Piece]]) -> Iterator[Any]:
        """Writes one file; yields counts and dead letters."""
        shard, grouped = element
        pieces = list(grouped)
        tables = [pa.ipc.open_stream(piece).read_all() for piece, _ in pieces if piece]
        logged = pa.array([item for _, ids in pieces for item in ids], pa.binary())
        name = f"examples-{shard:05d}-of-{self._plan.num_shards:05d}.gz"
        path = f"{self._plan.examples_dir}/{name}"
        table = pa.concat_tables([_NO_ROWS, *tables])
        first, same, other = _by_item(table)
        kept = table.take(pa.array(first)).select(_FEATURES)
        counts = catalog_report.feature_counts(kept)
        if self._plan.logged_items:
            kept, compared = logged_items.apply(kept, logged, self._plan.data)
            counts.update(compared)
            counts["withdrawn"] = catalog_report.feature_counts(kept)["withdrawn"]
        records = encoding.encode_items(kept)
        write_files.write_atomically(path, [tfrecords.compressed(records)])
        rows = np.asarray(table[_ROWS])
        # Every row but the first of its item, the rows it stands for included.
        counts["duplicates"] = int(rows[same].sum() + (rows[first] - 1).sum())
        if len(other):
            counts["items_rejected"] = {items.DUPLICATE_ITEM_ID: len(other)}
            letters = _duplicate_letters(table.take(pa.array(other)), self._plan.files)
            yield beam.pvalue.TaggedOutput(
                _REJECTED, (write_files.NO_FILE, (shard, letters))
            )
        yield beam.pvalue.TaggedOutput(_COUNTS, counts)


def _by_item(table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the first rows of the items, their equals, and rows that differ.

    The first in (file, position) order wins.

    Args:
      table: items with file and position.

    Returns:
      Three arrays of row indices; the first is sorted by item id.
    """
    ids = table[features.ITEM_ID].combine_chunks().flatten()
    encoded = ids.dictionary_encode()
    order = np.asarray(compute.sort_indices(encoded.dictionary))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    item = rank[np.asarray(encoded.indices)]
    by_place = np.lexsort(
        (np.asarray(table[_POSITION]), np.asarray(table[_FILE]), item)
    )
    item = item[by_place]
    begins = np.ones(len(item), bool)
    begins[1:] = item[1:] != item[:-1]
    first = by_place[begins]
    winner = first[np.cumsum(begins) - 1]
    later = np.flatnonzero(~begins)
    if not len(later):
        none = np.zeros(0, np.int64)
        return first, none, none
    row, against = by_place[later], winner[later]
    same = _equal_rows(table, row, against)
    return first, row[same], row[~same]


def _equal_rows(table: pa.Table, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    only = table.select(_FEATURES)
    encoded = [
        encoding.encode_items(only.take(pa.array(rows))) for rows in (left, right)
    ]
    return np.array([a == b for a, b in zip(*encoded, strict=True)], bool)


def _duplicate_letters(
    table: pa.Table, files: tuple[locations.SourceFile, ...]
) -> bytes:
    """Returns dead letters of items whose raw row is no longer at hand."""
    lines = []
    for row in table.to_pylist():
        item = {name: _readable(row[name]) for name in _FEATURES}
        refused = blocks.Rejected(
            row[_POSITION],
            items.DUPLICATE_ITEM_ID,
            json.dumps(item, ensure_ascii=False),
        )
        lines.append(dead_letters.line(files[row[_FILE]].path, refused))
    return tfrecords.gzip_member("".join(lines).encode("utf-8"))


def _readable(values: list[Any]) -> list[Any]:
    return [v.decode("utf-8") if isinstance(v, bytes) else v for v in values]


def _write_report(counts: report.Counts, catalog: plan.CatalogPlan) -> None:
    content = catalog_report.catalog_report(
        counts, bool(catalog.event_item_column), bool(catalog.logged_items)
    )
    write_files.write_atomically(
        f"{catalog.report_dir}/{catalog_report.REPORT_FILE}",
        [report.to_json(content).encode("utf-8")],
    )


class IngestItems(beam.PTransform):
    """Writes examples, dead letters and `catalog.json` of a catalogue."""

    def __init__(self, catalog: plan.CatalogPlan):
        """Keeps the plan."""
        super().__init__()
        self._plan = catalog

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns the written report's counts, one element."""
        read = (
            pipeline
            | "Files" >> beam.Create(self._plan.files)
            | "ListUnits" >> beam.FlatMap(units.list_units)
            | "SpreadUnits" >> beam.Reshuffle()
            | "ReadItems"
            >> beam.ParDo(ReadItems(self._plan)).with_outputs(
                _COUNTS, _REJECTED, main="shards"
            )
        )
        # An empty piece for each shard, so that every file is written.
        empty: list[tuple[int, Piece]] = [
            (shard, (b"", [])) for shard in range(self._plan.num_shards)
        ]
        logged = (
            pipeline
            | "LogItems" >> beam.Create(list(filter(None, [self._plan.logged_items])))
            | "ReadLogItems" >> beam.FlatMap(_log_pieces, self._plan.num_shards)
        )
        encoded = (
            (read["shards"], logged, pipeline | "EmptyShards" >> beam.Create(empty))
            | "AllShards" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            | "EncodeItems"
            >> beam.ParDo(EncodeItems(self._plan)).with_outputs(
                _COUNTS, _REJECTED, main="none"
            )
        )
        _ = (
            (read[_REJECTED], encoded[_REJECTED])
            | "AllLetters" >> beam.Flatten()
            | "WriteLetters"
            >> write_files.WriteLetters(self._plan.report_dir, "duplicates")
        )
        counts = (
            (read[_COUNTS], encoded[_COUNTS])
            | "AllCounts" >> beam.Flatten()
            | "SumCounts" >> beam.CombineGlobally(report.add_counts)
        )
        _ = counts | "WriteReport" >> beam.Map(_write_report, self._plan)
        return counts
