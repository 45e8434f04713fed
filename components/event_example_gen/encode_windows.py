"""The step from a bucket's interactions to compressed examples."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.transforms import window
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from components import audience
from components.event_example_gen import encoding, interactions, plan, windows
from components.ingestion import counts, read_files, shuffle, tfrecords

_Compressing = tuple[str, int, tfrecords.Compression]


@dataclasses.dataclass(eq=False)
class EncodeWindows(beam.DoFn):
    """Splits and cuts the histories of one bucket, and encodes the windows.

    The windows of a bucket are compressed while the next one is worked on.
    """

    ingestion: plan.IngestionPlan

    def start_bundle(self) -> None:
        """Forgets what an attempt that failed has left."""
        self._compressing: list[_Compressing] = []

    def process(
        self, element: tuple[int, shuffle.Piece], cuts_ms: tuple[int, int] | None
    ) -> Iterator[Any]:
        """Yields ((split, shard), (bucket, piece: compressed examples)) and counts."""
        bucket, piece = element
        history: interactions.Interactions = pickle.loads(shuffle.get(piece))
        bounds = windows.split_bounds(
            history, cuts_ms, self.ingestion.data.held_out_interactions
        )
        share = self.ingestion.judge_share
        users = history.user_ids.cast(pa.binary()).to_pylist()
        judges = np.array([audience.is_judge(user, share) for user in users], bool)
        ranges = windows.split_ranges(bounds, judges)
        found: counts.Counts = {"examples": {}, "labels": {}}
        encoder = encoding.WindowEncoder(history, self.ingestion.feedback.names())
        before, self._compressing = self._compressing, []
        for split in self.ingestion.examples_dir:
            cut = windows.cut_windows(
                history.user_begin,
                *ranges[split],
                self.ingestion.history.max_length,
                self.ingestion.history.min_context,
            )
            found["examples"][split] = len(cut.user)
            found["labels"][split] = windows.label_counts(
                history, *ranges[split], self.ingestion.feedback
            )
            if len(cut.user):
                member = tfrecords.Compression(encoder.encode(cut))
                self._compressing.append((split, bucket, member))
        yield from map(self._written, before)
        yield beam.pvalue.TaggedOutput(read_files.COUNTS, found)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yields the examples of the last bucket."""
        for compressing in self._compressing:
            yield WindowedValue(
                self._written(compressing), MIN_TIMESTAMP, [window.GlobalWindow()]
            )
        self._compressing = []

    def _written(self, compressing: _Compressing) -> Any:
        split, bucket, member = compressing
        (piece,) = self.ingestion.spill.put([member.result()])
        return (split, bucket % self.ingestion.data.example_shards), (bucket, piece)
