"""The simulation's batches as a Beam transform, for those beyond one machine."""

from __future__ import annotations

import os
import pickle
import uuid
from collections.abc import Callable, Iterator, Sequence

import apache_beam as beam
import tensorflow as tf

from components.responsiveness import batches
from serving.bundle import saved_model


class _SimulateBatch(beam.DoFn):
    """Runs a batch through the model, which a worker loads once."""

    def __init__(self, model_dir: str, max_length: int, plan: batches.Plan, out: str):
        self._model_dir = model_dir
        self._max_length = max_length
        self._plan = plan
        self._out = out

    def setup(self) -> None:
        """Loads the model."""
        model = saved_model.load_exported(self._model_dir)
        self._recommend = batches.model_recommend(model, self._max_length)

    def process(self, batch: batches.Batch) -> Iterator[str]:
        """Writes the slates of one batch aside, then renames them, and yields where."""
        slates = batches.run(self._recommend, batch, self._plan)
        path = os.path.join(self._out, f"slates-{batch.first:012d}.pickle")
        aside = f"{path}.{uuid.uuid4().hex}.part"
        with tf.io.gfile.GFile(aside, "wb") as file:
            file.write(pickle.dumps(slates))
        # A retried bundle writes the same bytes: the last one may win.
        tf.io.gfile.rename(aside, path, overwrite=True)
        yield path


class SimulateBatches(beam.PTransform):
    """Turns batches into files of slates; yields their paths in any order."""

    def __init__(self, model_dir: str, max_length: int, plan: batches.Plan, out: str):
        super().__init__()
        self._arguments = (model_dir, max_length, plan, out)

    def expand(self, given: beam.PCollection) -> beam.PCollection:
        """Spreads the batches over the workers."""
        return (
            given
            | "Spread" >> beam.Reshuffle()
            | "Simulate" >> beam.ParDo(_SimulateBatch(*self._arguments))
        )


def run_on_beam(
    make_pipeline: Callable[[], beam.Pipeline],
    model_dir: str,
    max_length: int,
    given: Sequence[batches.Batch],
    plan: batches.Plan,
    out: str,
) -> batches.Slates:
    """Returns the slates of all batches, simulated on Beam's runner.

    Args:
      make_pipeline: of the runner.
      model_dir: the exported model; every worker must be able to read it.
      max_length: elements that the query tower reads.
      given: the batches.
      plan: what each does.
      out: an empty directory that every worker can write to; it is emptied again.
    """
    tf.io.gfile.makedirs(out)
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | "Batches" >> beam.Create(list(given))
            | SimulateBatches(model_dir, max_length, plan, out)
        )
    parts = []
    for batch in given:
        path = os.path.join(out, f"slates-{batch.first:012d}.pickle")
        with tf.io.gfile.GFile(path, "rb") as file:
            # Written above, by this very step.
            parts.append(pickle.loads(file.read()))
    tf.io.gfile.rmtree(out)
    return batches.concatenate(parts)
