"""The histories of all users of a log, as ingestion reads and orders them."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Sequence

import apache_beam as beam

from components.bulk_recommendations import history_file, store
from components.event_example_gen import plan, transforms
from components.ingestion import counts, dead_letters, locations, read_files, shuffle
from schema import files, settings


@dataclasses.dataclass(eq=False)
class ReadHistories(beam.PTransform):
    """Writes the histories of each shard's users, and the refused rows.

    What an event may look like, what becomes of rows that are none, the order within a
    history and what is one exposure: all as for examples that are learnt from.
    """

    ingestion: plan.IngestionPlan
    """Its report folder takes the refused rows."""
    output: store.Store
    """Of as many shards as the plan has buckets."""

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns the counts, one element, once all is written."""
        read = pipeline | "ReadEvents" >> read_files.ReadFiles(
            self.ingestion.files, transforms.ReadEvents(self.ingestion)
        )
        built = (
            read[read_files.PIECES]
            | "GroupByBucket" >> beam.GroupByKey()
            | "BuildInteractions"
            >> beam.ParDo(
                transforms.BuildInteractions(self.ingestion), None
            ).with_outputs(
                read_files.COUNTS,
                read_files.REJECTED,
                "times",
                "items",
                main="histories",
            )
        )
        written = built["histories"] | "WriteHistory" >> beam.MapTuple(self._write)
        _ = (
            (read[read_files.REJECTED], built[read_files.REJECTED])
            | "AllLetters" >> beam.Flatten()
            | "WriteLetters"
            >> dead_letters.WriteLetters(self.ingestion.report_dir, "policy")
        )
        return (
            (read[read_files.COUNTS], built[read_files.COUNTS], written)
            | "AllCounts" >> beam.Flatten()
            | "SumCounts" >> beam.CombineGlobally(counts.add)
            | "Finish" >> beam.Map(self._finish)
        )

    def _write(self, bucket: int, piece: shuffle.Piece) -> counts.Counts:
        history = pickle.loads(shuffle.get(piece))
        content = history_file.to_ipc(history)
        files.write_atomically(self.output.history(bucket), content)
        return {"shards_with_users": 1}

    def _finish(self, found: counts.Counts) -> counts.Counts:
        self.output.finish_histories(found)
        return found


def plan_of(
    source: Sequence[locations.SourceFile],
    config: settings.HeedConfig,
    feedback: settings.FeedbackSettings,
    report_dir: str,
    spill_dir: str,
    now_ms: int,
) -> plan.IngestionPlan:
    """Returns how a log of histories is read.

    Args:
      source: its files.
      config: mapping, ranges and merging.
      feedback: the policy of the model that is asked.
      report_dir: folder of the refused rows.
      spill_dir: folder for what passes between steps.
      now_ms: events long after it are refused.
    """
    # Nothing is split: a history is all that there is of a user.
    data = config.data.model_copy(
        update={"split": "leave_last_out", "lookback_window_days": None}
    )
    return plan.IngestionPlan(
        files=tuple(source),
        data=data,
        mapping=config.mapping().events,
        feedback=feedback,
        history=config.history,
        examples_dir={},
        report_dir=report_dir,
        now_ms=now_ms,
        spill_dir=spill_dir,
    )
