"""The product's path: Arrow batches through Beam."""

from __future__ import annotations

import apache_beam as beam

from benchmarks.ingestion import rules
from components.event_example_gen import plan, transforms
from components.ingestion import locations
from schema import settings


def run(log: str, output: str, beam_args: list[str]) -> None:
    """Runs the transform that EventExampleGen runs, with its defaults."""
    ingestion = plan.IngestionPlan(
        files=tuple(locations.local_files(log, "log")),
        data=settings.DataSettings(events=log, split="leave_last_out"),
        mapping=settings.EventMapping(),
        feedback=settings.FeedbackSettings(),
        history=settings.HistorySettings(
            max_length=rules.MAX_LENGTH, min_context=rules.MIN_CONTEXT
        ),
        examples_dir={split: f"{output}/Split-{split}" for split in rules.SPLITS},
        report_dir=f"{output}/report",
        spill_dir=f"{output}/spill",
    )
    with beam.Pipeline(argv=["--runner=FnApiRunner", *beam_args]) as pipeline:
        _ = pipeline | transforms.IngestEvents(ingestion)
