"""The Beam path from the files of a catalogue to one example per item."""

from __future__ import annotations

import dataclasses
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
    column_types,
    counts,
    dead_letters,
    locations,
    read_files,
    refusals,
    shuffle,
    text_blocks,
    tfrecords,
)
from components.item_catalog_gen import (
    coverage,
    encoding,
    mapping,
    pictures,
    plan,
    report,
)
from schema import features, files, items, reports

_COUNTS, _REJECTED = read_files.COUNTS, read_files.REJECTED
_FILE, _POSITION, _ROWS = "file", "position", "rows"
_PLACE = [(_FILE, "ascending"), (_POSITION, "ascending")]
_FEATURES = list(mapping.SCHEMA.names)
_NO_ROWS = pa.table(
    {
        **{field.name: pa.array([], field.type) for field in mapping.SCHEMA},
        **{name: pa.array([], pa.int64()) for name in (_FILE, _POSITION, _ROWS)},
    }
)


class ReadItems(read_files.ReadRows[pa.Table]):
    """Reads a unit of a source into shards of canonical items."""

    name = "items"

    def __init__(self, catalog: plan.CatalogPlan):
        of_events = catalog.event_item_column
        declared = catalog.data.item_features
        super().__init__(
            _of_log(of_events)
            if of_events
            else mapping.column_uses(catalog.mapping, declared),
            catalog.block_bytes,
            dictionary_columns=(of_events,) if of_events else (),
            limits=text_blocks.Limits.of(catalog.data),
        )
        self._plan = catalog

    def map_rows(self, table: pa.Table) -> tuple[pa.Table, refusals.Reasons]:
        """Returns all rows as items, and which of them are refused."""
        if not self._plan.event_item_column:
            return mapping.to_items(
                table, self._plan.mapping, self._plan.data.item_features
            )
        reasons = refusals.Reasons(table.num_rows)
        refusals.refuse_unfit(table, _of_log(self._plan.event_item_column), reasons)
        ids = mapping.item_ids(table[self._plan.event_item_column], reasons)
        return mapping.only_ids(ids), reasons

    def pieces(
        self,
        rows: pa.Table,
        is_good: NDArray[np.bool_],
        file: locations.SourceFile,
        block: blocks.Block,
    ) -> Iterator[tuple[int, pa.Table]]:
        """Yields (shard, items with their place and how many rows each stands for)."""
        file_index = np.full(rows.num_rows, file.index, np.int64)
        rows = rows.append_column(_FILE, pa.array(file_index))
        rows = rows.append_column(_POSITION, pa.array(block.position))
        good = rows.filter(pa.array(is_good))
        if self._plan.event_item_column:
            good = _first_of_each(good)
        else:
            good = good.append_column(_ROWS, pa.array(np.ones(good.num_rows, np.int64)))
        ids = good[features.ITEM_ID].combine_chunks().flatten()
        shard = shuffle.bucket_of(ids, self._plan.num_shards)
        for index in np.unique(shard).tolist():
            yield index, good.filter(pa.array(shard == index))


def _of_log(item_column: str) -> column_types.Uses:
    return [(item_column, column_types.TEXT)]


def _first_of_each(table: pa.Table) -> pa.Table:
    """Returns one row per item, with how many rows it stands for."""
    ids = table[features.ITEM_ID].combine_chunks().flatten()
    encoded = ids.dictionary_encode()
    _, first, rows = np.unique(
        np.asarray(encoded.indices), return_index=True, return_counts=True
    )
    return table.take(pa.array(first)).append_column(_ROWS, pa.array(rows))


@dataclasses.dataclass(eq=False)
class EncodeItems(beam.DoFn):
    """Keeps the first row of each item of a shard, and writes their examples."""

    catalog: plan.CatalogPlan

    def process(self, element: tuple[int, dict[str, Iterable[Any]]]) -> Iterator[Any]:
        """Writes one file; yields counts and dead letters."""
        shard, grouped = element
        table = pa.concat_tables([_NO_ROWS, *grouped["items"]]).sort_by(_PLACE)
        name = tfrecords.file_name(shard, self.catalog.num_shards)
        first, same, other = _by_item(table)
        kept = table.take(pa.array(first)).select(_FEATURES)
        kept, refused_urls = pictures.keep_loadable(kept)
        found = report.feature_counts(kept) | {"image_urls_refused": refused_urls}
        if self.catalog.logged_items:
            ids = [item for part in grouped["logged"] for item in part]
            logged = pa.array(ids, pa.binary())
            kept, compared = coverage.apply(kept, logged, self.catalog.data)
            found.update(compared)
            found["withdrawn"] = report.feature_counts(kept)["withdrawn"]
        records = encoding.encode_items(kept)
        files.write_atomically(
            f"{self.catalog.examples_dir}/{name}", tfrecords.compressed(records)
        )
        rows = np.asarray(table[_ROWS])
        # Every row but the first of its item, the rows it stands for included.
        found["duplicates"] = int(rows[same].sum() + (rows[first] - 1).sum())
        if len(other):
            found["items_rejected"] = {items.DUPLICATE_ITEM_ID: len(other)}
            refused = _duplicate_letters(
                table.take(pa.array(other)), self.catalog.files
            )
            letters = dead_letters.compressed(refused)
            yield beam.pvalue.TaggedOutput(
                _REJECTED, (dead_letters.NO_FILE, (shard, letters))
            )
        yield beam.pvalue.TaggedOutput(_COUNTS, found)


def _by_item(table: pa.Table) -> list[NDArray[np.int64]]:
    """Returns the first rows of the items, their equals, and rows that differ.

    Args:
      table: items in the order of the source; the first of an id wins.

    Returns:
      Three arrays of row indices; the first is sorted by item id.
    """
    ids = table[features.ITEM_ID].combine_chunks().flatten().dictionary_encode()
    item = np.asarray(ids.indices)
    # Arrow numbers the ids as they come: one `first` for each, in that order.
    first = np.unique(item, return_index=True)[1]
    later = np.setdiff1d(np.arange(len(item)), first)
    same = _equal_rows(table, later, first[item[later]])
    by_id = np.asarray(compute.sort_indices(ids.dictionary))
    return [first[by_id], later[same], later[~same]]


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
) -> Iterator[tuple[str, blocks.Rejected]]:
    """Yields items whose raw row is no longer at hand as refused rows."""
    for row in table.to_pylist():
        item = {name: row[name] for name in _FEATURES}
        raw = json.dumps(item, ensure_ascii=False, default=bytes.decode)
        refused = blocks.Rejected(row[_POSITION], items.DUPLICATE_ITEM_ID, raw)
        yield sources[row[_FILE]].path, refused


def _write_report(found: counts.Counts, catalog: plan.CatalogPlan) -> None:
    content = report.catalog_report(
        found, bool(catalog.event_item_column), bool(catalog.logged_items)
    )
    reports.write(f"{catalog.report_dir}/{reports.CATALOG_FILE}", content)


@dataclasses.dataclass(eq=False)
class IngestItems(beam.PTransform):
    """Writes examples, dead letters and `catalog.json` of a catalogue."""

    catalog: plan.CatalogPlan

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns the written report's counts, one element."""
        read = pipeline | "ReadItems" >> read_files.ReadFiles(
            self.catalog.files, ReadItems(self.catalog)
        )
        logged = (
            pipeline
            | "LogItems" >> beam.Create(list(filter(None, [self.catalog.logged_items])))
            | "ReadLogItems"
            >> beam.FlatMap(coverage.read_shards, self.catalog.num_shards)
        )
        # So that every file is written, also that of a shard without items.
        shards = pipeline | "Shards" >> beam.Create(
            [(shard, None) for shard in range(self.catalog.num_shards)]
        )
        encoded = (
            {"items": read[read_files.PIECES], "logged": logged, "shards": shards}
            | "GroupByShard" >> beam.CoGroupByKey()
            | "EncodeItems"
            >> beam.ParDo(EncodeItems(self.catalog)).with_outputs(
                _COUNTS, _REJECTED, main="none"
            )
        )
        _ = (
            (read[_REJECTED], encoded[_REJECTED])
            | "AllLetters" >> beam.Flatten()
            | "WriteLetters"
            >> dead_letters.WriteLetters(self.catalog.report_dir, "duplicates")
        )
        found = (
            (read[_COUNTS], encoded[_COUNTS])
            | "AllCounts" >> beam.Flatten()
            | "SumCounts" >> beam.CombineGlobally(counts.add)
        )
        _ = found | "WriteReport" >> beam.Map(_write_report, self.catalog)
        return found
