"""The Beam path from the files of a catalogue to one example per item."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import (
    blocks,
    counts,
    dead_letters,
    locations,
    read_files,
    refusals,
    shuffle,
    tfrecords,
)
from components.item_catalog_gen import coverage, encoding, mapping, plan, report
from schema import features, files, items, reports

_COUNTS, _REJECTED = read_files.COUNTS, read_files.REJECTED
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


class ReadItems(read_files.ReadRows[pa.Table]):
    """Reads a unit of a source into shards of canonical items."""

    name = "items"

    def __init__(self, catalog: plan.CatalogPlan):
        """Keeps the plan."""
        of_events = catalog.event_item_column
        declared = catalog.data.item_features
        super().__init__(
            [of_events]
            if of_events
            else mapping.source_columns(catalog.mapping, declared),
            catalog.block_bytes,
            list_columns=catalog.list_columns,
            dictionary_columns=(of_events,) if of_events else (),
        )
        self._plan = catalog

    def map_rows(self, table: pa.Table) -> tuple[pa.Table, refusals.Reasons]:
        """Returns all rows as items, and which of them are refused."""
        if not self._plan.event_item_column:
            return mapping.to_items(
                table, self._plan.mapping, self._plan.data.item_features
            )
        reasons = refusals.Reasons(table.num_rows)
        ids = mapping.item_ids(table[self._plan.event_item_column], reasons)
        return mapping.only_ids(ids), reasons

    def pieces(
        self,
        rows: pa.Table,
        is_good: NDArray[np.bool_],
        file: locations.SourceFile,
        block: blocks.Block,
    ) -> Iterator[tuple[int, Piece]]:
        """Yields (shard, items as IPC bytes)."""
        file_index = np.full(rows.num_rows, file.index, np.int64)
        rows = rows.append_column(_FILE, pa.array(file_index))
        rows = rows.append_column(_POSITION, pa.array(block.position))
        good = rows.filter(pa.array(is_good))
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
    shard = shuffle.bucket_of(ids, num_shards)
    for index in np.unique(shard).tolist():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.filter(pa.array(shard == index)))
        yield index, (sink.getvalue().to_pybytes(), [])


def _log_pieces(path: str, num_shards: int) -> Iterator[tuple[int, Piece]]:
    for shard, ids in coverage.read_shards(path, num_shards):
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
        name = tfrecords.file_name(shard, self._plan.num_shards)
        table = pa.concat_tables([_NO_ROWS, *tables])
        first, same, other = _by_item(table)
        kept = table.take(pa.array(first)).select(_FEATURES)
        found = report.feature_counts(kept)
        if self._plan.logged_items:
            kept, compared = coverage.apply(kept, logged, self._plan.data)
            found.update(compared)
            found["withdrawn"] = report.feature_counts(kept)["withdrawn"]
        records = encoding.encode_items(kept)
        files.write_atomically(
            f"{self._plan.examples_dir}/{name}", tfrecords.compressed(records)
        )
        rows = np.asarray(table[_ROWS])
        # Every row but the first of its item, the rows it stands for included.
        found["duplicates"] = int(rows[same].sum() + (rows[first] - 1).sum())
        if len(other):
            found["items_rejected"] = {items.DUPLICATE_ITEM_ID: len(other)}
            letters = _duplicate_letters(table.take(pa.array(other)), self._plan.files)
            yield beam.pvalue.TaggedOutput(
                _REJECTED, (dead_letters.NO_FILE, (shard, letters))
            )
        yield beam.pvalue.TaggedOutput(_COUNTS, found)


def _by_item(table: pa.Table) -> list[NDArray[np.int64]]:
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
        return [first, none, none]
    row, against = by_place[later], winner[later]
    same = _equal_rows(table, row, against)
    return [first, row[same], row[~same]]


def _equal_rows(
    table: pa.Table, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.bool_]:
    only = table.select(_FEATURES)
    encoded = [
        encoding.encode_items(only.take(pa.array(rows))) for rows in (left, right)
    ]
    return np.array([a == b for a, b in zip(*encoded, strict=True)], bool)


def _duplicate_letters(
    table: pa.Table, sources: tuple[locations.SourceFile, ...]
) -> bytes:
    """Returns dead letters of items whose raw row is no longer at hand."""
    return dead_letters.compressed(
        (
            sources[row[_FILE]].path,
            blocks.Rejected(
                row[_POSITION],
                items.DUPLICATE_ITEM_ID,
                json.dumps(
                    {name: _readable(row[name]) for name in _FEATURES},
                    ensure_ascii=False,
                ),
            ),
        )
        for row in table.to_pylist()
    )


def _readable(values: list[Any]) -> list[Any]:
    return [v.decode("utf-8") if isinstance(v, bytes) else v for v in values]


def _write_report(found: counts.Counts, catalog: plan.CatalogPlan) -> None:
    content = report.catalog_report(
        found, bool(catalog.event_item_column), bool(catalog.logged_items)
    )
    reports.write(f"{catalog.report_dir}/{reports.CATALOG_FILE}", content)


class IngestItems(beam.PTransform):
    """Writes examples, dead letters and `catalog.json` of a catalogue."""

    def __init__(self, catalog: plan.CatalogPlan):
        """Keeps the plan."""
        super().__init__()
        self._plan = catalog

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns the written report's counts, one element."""
        read = pipeline | "ReadItems" >> read_files.ReadFiles(
            self._plan.files, ReadItems(self._plan)
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
            (
                read[read_files.PIECES],
                logged,
                pipeline | "EmptyShards" >> beam.Create(empty),
            )
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
            >> dead_letters.WriteLetters(self._plan.report_dir, "duplicates")
        )
        found = (
            (read[_COUNTS], encoded[_COUNTS])
            | "AllCounts" >> beam.Flatten()
            | "SumCounts" >> beam.CombineGlobally(counts.add)
        )
        _ = found | "WriteReport" >> beam.Map(_write_report, self._plan)
        return found
