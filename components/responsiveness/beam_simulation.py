"""The simulation's batches on Beam, for those beyond one machine."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence

import apache_beam as beam
import tensorflow as tf

from components.responsiveness import batches, behaviour, recommend, simulation
from schema import files


class _SimulateBatch(beam.DoFn):
    """Runs a batch through the model, which a worker loads once."""

    def __init__(self, model_dir: str, max_length: int, plan: batches.Plan, out: str):
        self._model_dir = model_dir
        self._max_length = max_length
        self._plan = plan
        self._out = out

    def setup(self) -> None:
        """Loads the model."""
        self._recommend = recommend.through(
            recommend.load(self._model_dir), self._max_length
        )

    def process(self, batch: batches.Batch) -> None:
        """Writes the outcome of one batch, or the error that it ended in."""
        outcome: simulation.Outcome | behaviour.NothingRecommendedError
        try:
            outcome = batches.run(self._recommend, batch, self._plan)
        except behaviour.NothingRecommendedError as error:
            # Raised here it would be tried again, and come back as Beam's own.
            outcome = error
        # A retried bundle writes the same bytes: the last one may win.
        files.write_atomically(_path(self._out, batch), pickle.dumps(outcome))


def _path(folder: str, batch: batches.Batch) -> str:
    return os.path.join(folder, f"slates-{batch.first:012d}.pickle")


def run_on_beam(
    make_pipeline: Callable[[], beam.Pipeline],
    model_dir: str,
    max_length: int,
    out: str,
) -> batches.RunBatches:
    """Returns what runs batches on Beam's runner.

    Args:
      make_pipeline: of the runner.
      model_dir: the exported model; every worker must be able to read it.
      max_length: elements that the query tower reads.
      out: an empty directory that every worker can write to; it is emptied again.
    """

    def run_all(
        given: Sequence[batches.Batch], plan: batches.Plan
    ) -> simulation.Outcome:
        with make_pipeline() as pipeline:
            _ = (
                pipeline
                | "Batches" >> beam.Create(list(given))
                | "Spread" >> beam.Reshuffle()
                | "Simulate"
                >> beam.ParDo(_SimulateBatch(model_dir, max_length, plan, out))
            )
        # Written above, by this very step.
        paths = [_path(out, batch) for batch in given]
        found = [pickle.loads(files.read_bytes(path)) for path in paths]
        tf.io.gfile.rmtree(out)
        for outcome in found:
            if isinstance(outcome, behaviour.NothingRecommendedError):
                raise outcome
        return simulation.concatenate(found)

    return run_all
