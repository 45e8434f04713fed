"""Executor of EventExampleGen."""

from __future__ import annotations

import os
import time

from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs

from components.event_example_gen import check, mapping, plan, report, transforms
from components.ingestion import (
    check_columns,
    counts,
    driver,
    executor,
    text_blocks,
)
from components.specs import Artifacts, Properties
from schema import features, files, reports, settings

FEEDBACK, HISTORY, JUDGE_SHARE = "feedback", "history", "judge_share"
_SPILL = ".spill"


class EventExecutor(executor.SourceExecutor):
    """Writes the examples of an event log and the report of its ingestion."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Ingests the log.

        Args:
          input_dict: empty.
          output_dict: `examples`: Examples with splits train, eval and test, and
            judge where users judge; `ingestion_report`: IngestionReport.
          exec_properties: `input_base`, `input_config`, `judge_share`, and the
            sections `data`, `mapping`, `feedback`, `history` as canonical JSON.

        Raises:
          InputError: the log is missing, unreadable, without a mapped column, or has
            too many refused rows. The report then lies in `failed_ingestion`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        data = settings.DataSettings.from_json(exec_properties[executor.DATA])
        event_mapping = settings.EventMapping.from_json(
            exec_properties[executor.MAPPING]
        )
        feedback = settings.FeedbackSettings.from_json(exec_properties[FEEDBACK])
        log = self.source_files(exec_properties, data.events, "data.events")
        check.check_actions(event_mapping, feedback)
        check_columns.check(
            log,
            mapping.column_uses(event_mapping),
            mapping.required_columns(event_mapping),
            "data.source",
            text_blocks.Limits.of(data),
        )
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        report_uri = artifact_utils.get_single_uri(
            output_dict[executor.INGESTION_REPORT]
        )
        judge_share = float(exec_properties[JUDGE_SHARE])
        further = (features.JUDGE,) if judge_share else ()
        ingestion = plan.IngestionPlan(
            files=tuple(log),
            data=data,
            mapping=event_mapping,
            feedback=feedback,
            history=settings.HistorySettings.from_json(exec_properties[HISTORY]),
            examples_dir=self.examples_dirs(examples, features.SPLITS + further),
            report_dir=report_uri,
            spans=tuple(driver.spans_of(exec_properties)),
            judge_share=judge_share,
            now_ms=time.time_ns() // 1_000_000,
            spill_dir=os.path.join(examples.uri, _SPILL) if data.spill else "",
        )
        try:
            self.run_beam(transforms.IngestEvents(ingestion))
        finally:
            if ingestion.spill_dir and fileio.exists(ingestion.spill_dir):
                fileio.rmtree(ingestion.spill_dir)
        _check_report(report_uri, data)


def _check_report(report_uri: str, data: settings.DataSettings) -> None:
    """Raises if the counts do not add up, or refuse the log."""
    path = os.path.join(report_uri, reports.INGESTION_FILE)
    found = reports.parse(files.read_bytes(path), reports.Ingestion, path)
    with executor.rescued_report(report_uri):
        counts.check(
            found.events_read,
            found.events_kept,
            found.events_deduplicated,
            found.events_rejected,
            data.max_rejected_share,
            data.events,
            report_uri,
        )
        report.check_splits(found, data)
