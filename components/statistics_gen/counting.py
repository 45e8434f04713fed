"""Statistics of examples, by TFDV's own analyzers over record batches of whole files.

TFDV's Beam transform makes some thirty stages of each split, which cost more than the
counting, and its exact counts of texts hand each value of a list to Beam on its own.
Its analyzers for data in memory take record batches, and what they have counted can be
merged: one stage reads a file, and one merges what the files came to.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import tensorflow as tf
from tensorflow_data_validation import StatsOptions
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx_bsl.coders import example_coder

from components.statistics_gen import sample
from schema import files

SAMPLE_FILE = "sample.json"
"""Beside the folders of the splits: split to examples read and examples there are."""
# Windows of a hundred events: some 2 MB a batch.
_BATCH_EXAMPLES = 1_000


@dataclasses.dataclass
class Partial:
    """What is counted of some examples of one split."""

    accumulators: list[Any]
    """One of each analyzer."""
    num_sampled: int = 0
    """Examples that are counted."""
    num_examples: int = 0
    """Examples that there are."""


class Source(NamedTuple):
    """A file of examples."""

    split: str
    path: str
    """Gzip TFRecords."""
    limit: int
    """Most examples that are read of it."""


@functools.cache
def _analyzers() -> list[Any]:
    return list(stats_impl.get_generators(StatsOptions(), in_memory=True))


def _nothing() -> Partial:
    return Partial([each.create_accumulator() for each in _analyzers()])


def _merged(parts: list[Partial]) -> Partial:
    return Partial(
        [
            each.merge_accumulators([part.accumulators[place] for part in parts])
            for place, each in enumerate(_analyzers())
        ],
        sum(part.num_sampled for part in parts),
        sum(part.num_examples for part in parts),
    )


def count(source: Source) -> dict[str, Partial]:
    """Returns the split, and what is counted of one of its files."""
    records = tf.data.TFRecordDataset(source.path, compression_type="GZIP")
    # One by one, handing records over would take longer than counting them.
    one_by_one = (
        record for batch in records.batch(_BATCH_EXAMPLES) for record in batch.numpy()
    )
    found = sample.every_nth(one_by_one, source.limit)
    result = _nothing()
    decoder = example_coder.ExamplesToRecordBatchDecoder()
    for begin in range(0, len(found.records), _BATCH_EXAMPLES):
        batch = decoder.DecodeBatch(found.records[begin : begin + _BATCH_EXAMPLES])
        result.accumulators = [
            each.add_input(accumulator, batch)
            for each, accumulator in zip(_analyzers(), result.accumulators, strict=True)
        ]
    result.num_sampled, result.num_examples = len(found.records), found.num_records
    return {source.split: result}


def statistics(found: Partial) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Returns what was counted, the features sorted by name."""
    result = stats_impl.extract_statistics_output(found.accumulators, _analyzers())
    for dataset in result.datasets:
        # Which file was first must not show.
        ordered = sorted(dataset.features, key=lambda each: tuple(each.path.step))
        del dataset.features[:]
        dataset.features.extend(ordered)
    return result


class _MergeFiles(beam.CombineFn):
    """Merges what was counted of files, split by split."""

    def create_accumulator(self) -> dict[str, Partial]:
        return {}

    def add_input(
        self, accumulator: dict[str, Partial], element: dict[str, Partial]
    ) -> dict[str, Partial]:
        return self.merge_accumulators([accumulator, element])

    def merge_accumulators(
        self, accumulators: Iterable[dict[str, Partial]]
    ) -> dict[str, Partial]:
        by_split: dict[str, list[Partial]] = {}
        for each in accumulators:
            for split, part in each.items():
                by_split.setdefault(split, []).append(part)
        return {
            split: parts[0] if len(parts) == 1 else _merged(parts)
            for split, parts in by_split.items()
        }

    def extract_output(self, accumulator: dict[str, Partial]) -> dict[str, Partial]:
        return accumulator


def _write(
    found: dict[str, Partial], paths: dict[str, str], sample_path: str
) -> Iterator[str]:
    sizes = {}
    for split, path in paths.items():
        part = found.get(split) or _nothing()
        files.write_atomically(path, statistics(part).SerializeToString())
        sizes[split] = (part.num_sampled, part.num_examples)
        yield path
    files.write_atomically(sample_path, json.dumps(sizes, sort_keys=True))


@dataclasses.dataclass(eq=False)
class WriteStatistics(beam.PTransform):
    """Writes the statistics of each split, and how much of it they are of."""

    sources: list[Source]
    paths: dict[str, str]
    """Split to the file of its statistics."""
    sample_path: str
    """See `SAMPLE_FILE`."""

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns the paths that were written."""
        return (
            pipeline
            | "Files" >> beam.Create(self.sources)
            | "Spread" >> beam.Reshuffle()
            | "Count" >> beam.Map(count)
            | "Merge" >> beam.CombineGlobally(_MergeFiles())
            | "Write" >> beam.FlatMap(_write, self.paths, self.sample_path)
        )
