"""Vocabularies whose values are counted batch by batch.

`tft.vocabulary` hands each value to Beam as an element of its own, and builds some ten
stages for each file. Here a batch is counted where it is read, all vocabularies in one
pass, and the files are those that `tft.vocabulary` writes: the same names, the most
frequent value first, ties in falling order of the values, and a placeholder where there
is no value at all.
"""

from __future__ import annotations

import collections
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from numpy.typing import NDArray
from tensorflow_transform import analyzers

from schema import files

# A lookup table of TensorFlow cannot be empty; the library's own, spelt as it is there.
_PLACEHOLDER: tuple[int, bytes] = analyzers.get_empy_vocabulary_dummy_value(tf.string)

Counts = list["collections.Counter[bytes]"]
"""How often each value came, one counter a column."""


class VocabularyFile(NamedTuple):
    """A file that is written."""

    name: str
    """In the assets of the transform graph."""
    column: int
    """Which column's values it holds."""
    with_counts: bool = False
    """Lines are "count value" instead of the value alone."""


class _CountValues(beam.CombineFn):
    """Counts the values of batches, column by column."""

    def __init__(self, num_columns: int):
        self._num_columns = num_columns

    def create_accumulator(self) -> Counts:
        return [collections.Counter() for _ in range(self._num_columns)]

    def add_input(
        self, accumulator: Counts, batch: tuple[NDArray[np.object_], ...]
    ) -> Counts:
        for counter, values in zip(accumulator, batch, strict=True):
            counter.update(values.tolist())
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        result = self.create_accumulator()
        for each in accumulators:
            for counter, found in zip(result, each, strict=True):
                counter.update(found)
        return result

    def extract_output(self, accumulator: Counts) -> Counts:
        return accumulator


def lines(counts: collections.Counter[bytes], with_counts: bool) -> Iterator[bytes]:
    r"""Yields the lines of a vocabulary file, line ends included.

    Args:
      counts: value to how often it came. The empty value and values with a line end
        are left out: a line could not hold them.
      with_counts: lines are "count value".

    Example:
      >>> list(lines(collections.Counter([b"a", b"b", b"c", b"c"]), True))
      [b'2 c\n', b'1 b\n', b'1 a\n']
    """
    found = [
        (count, value)
        for value, count in counts.items()
        if value and b"\n" not in value and b"\r" not in value
    ]
    found.sort(reverse=True)
    found = found or [_PLACEHOLDER]
    for count, value in found:
        yield b"%d %s\n" % (count, value) if with_counts else value + b"\n"


def _write(counts: Counts, file: VocabularyFile, folder: str) -> NDArray[np.str_]:
    path = os.path.join(folder, file.name)
    files.write_atomically(path, lines(counts[file.column], file.with_counts))
    return np.array(path)


class _WriteVocabularies(tft_beam.experimental.PTransformAnalyzer):
    """Counts batches and writes the files; returns the path of each."""

    def __init__(self, num_columns: int, vocabularies: Sequence[VocabularyFile]):
        super().__init__()
        self._num_columns, self._vocabularies = num_columns, vocabularies

    def expand(self, batches: beam.PCollection) -> tuple[beam.PCollection, ...]:
        counted = batches | "CountValues" >> beam.CombineGlobally(
            _CountValues(self._num_columns)
        )
        return tuple(
            counted
            | f"Write[{file.name}]" >> beam.Map(_write, file, self.base_temp_dir)
            for file in self._vocabularies
        )


def analyze(
    columns: Sequence[tf.Tensor], vocabularies: Sequence[VocabularyFile]
) -> list[tf.Tensor]:
    """Returns the files of the vocabularies, as `tft.vocabulary` does of one.

    Args:
      columns: [values] string each, the values of a batch.
      vocabularies: what is written of them; names differ.

    Returns:
      A file each, for `tft.apply_vocabulary`.
    """
    for file in vocabularies:
        tft.annotate_asset(file.name, file.name)
    return list(
        tft.experimental.ptransform_analyzer(
            list(columns),
            _WriteVocabularies(len(columns), tuple(vocabularies)),
            [tf.string] * len(vocabularies),
            [[]] * len(vocabularies),
            # What stands in the files while the graph is traced.
            output_asset_default_values=[_PLACEHOLDER[1]] * len(vocabularies),
        )
    )
