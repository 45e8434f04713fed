"""Finds the time cuts of the splits inside a Beam pipeline."""

from __future__ import annotations

import apache_beam as beam
import numpy as np

from components.event_example_gen import quantiles
from components.ingestion import spill
from schema import settings


class FindCuts(beam.PTransform):
    """Finds the exact time cuts of the splits; see `quantiles`."""

    def __init__(self, data: settings.DataSettings):
        """Keeps quantiles and range."""
        super().__init__()
        self._data = data

    def expand(self, times: beam.PCollection) -> beam.PCollection:
        """Returns the two cuts, milliseconds UTC, as one element."""
        low = self._data.min_timestamp_ms
        rounds = quantiles.num_rounds(self._data.max_timestamp_ms - low)
        searches = times.pipeline | "Quantiles" >> beam.Create(
            [[quantiles.Search(q) for q in self._data.split_quantiles]]
        )
        for left in range(rounds, 0, -1):
            histogram = (
                times
                | f"Count{left}"
                >> beam.Map(_count_digits, beam.pvalue.AsSingleton(searches), left)
                | f"Sum{left}" >> beam.CombineGlobally(quantiles.add_histograms)
            )
            searches = searches | f"Advance{left}" >> beam.Map(
                quantiles.advance, beam.pvalue.AsSingleton(histogram)
            )
        return searches | "Cuts" >> beam.Map(_as_cuts, low)


def _count_digits(
    times: spill.Piece, searches: list[quantiles.Search], left: int
) -> quantiles.Histogram:
    return quantiles.count_digits(
        np.frombuffer(spill.get(times), np.int64), searches, left
    )


def _as_cuts(searches: list[quantiles.Search], low: int) -> tuple[int, int]:
    return searches[0].prefix + low, searches[1].prefix + low
