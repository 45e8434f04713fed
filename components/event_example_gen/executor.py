"""Executor of EventExampleGen; `SourceExecutor` also serves ItemCatalogGen."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from tfx import types
from tfx.components.example_gen import input_processor
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.event_example_gen import mapping, plan, report, transforms
from components.ingestion import locations, sources, spans
from schema import errors, features, settings

DATA, MAPPING, FEEDBACK, HISTORY = "data", "mapping", "feedback", "history"
SOURCE_DIGEST = "source_digest"
INGESTION_REPORT = "ingestion_report"
_TFRECORDS_GZIP = "tfrecords_gzip"
_SPILL = ".spill"


def input_config(exec_properties: dict[str, Any]) -> example_gen_pb2.Input:
    """Returns the input configuration among execution properties."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(
        exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config
    )
    return config


def with_window(
    base: str, config: example_gen_pb2.Input, newest_span: int | None = None
) -> example_gen_pb2.Input:
    """Returns the input with one split for each span of its window, oldest first.

    Args:
      base: folder below which the patterns lie.
      config: one split, whose pattern may hold a spec and whose name its window.
      newest_span: where the window ends; None: at the newest span there is.
    """
    (split,) = config.splits
    if not locations.has_spec(split.pattern):
        return config
    if newest_span is None:
        processor = input_processor.FileBasedInputProcessor(base, config.splits)
        newest_span, _ = processor.resolve_span_and_version()
    prefix = base.rstrip("/") + "/"
    found = spans.newest(
        (
            path.removeprefix(prefix)
            for path in fileio.glob(prefix + spans.any_span(split.pattern))
        ),
        split.pattern,
        newest_span,
        spans.window_of_name(split.name),
    )
    return example_gen_pb2.Input(
        splits=[
            example_gen_pb2.Input.Split(
                name=spans.span_name(span.number), pattern=span.pattern
            )
            for span in found
        ]
    )


def spans_of(exec_properties: dict[str, Any]) -> list[int]:
    """Returns the numbers of the spans that are read; none without a pattern."""
    numbers = [
        spans.span_of_name(split.name) for split in input_config(exec_properties).splits
    ]
    return [number for number in numbers if number is not None]


class SourceExecutor(base_beam_executor.BaseBeamExecutor):
    """What the executors of both example generators share."""

    def source_files(
        self, exec_properties: dict[str, Any], location: str, key: str
    ) -> list[locations.SourceFile]:
        """Returns the files of the source, of the span that the driver chose.

        Args:
          exec_properties: `input_base` and `input_config` as the driver left them.
          location: what the user wrote, for messages.
          key: the setting that holds it, for messages.

        Raises:
          InputError: nothing matches, or a file has an unknown format.
        """
        base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        config = input_config(exec_properties)
        if locations.has_spec(config.splits[0].pattern):
            # Orchestrators without drivers leave the spec in place.
            config = with_window(base, config)
        paths = [
            path
            for split in config.splits
            for path in fileio.glob(os.path.join(base, split.pattern))
        ]
        files = [path for path in paths if not fileio.isdir(path)]
        return locations.source_files(files, location, key)

    def mark_examples(self, examples: types.Artifact, splits: Sequence[str]) -> None:
        """Sets the properties by which other components read the examples."""
        examples.split_names = artifact_utils.encode_split_names(list(splits))
        examples_utils.set_payload_format(
            examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
        )
        examples_utils.set_file_format(examples, _TFRECORDS_GZIP)

    def run_beam(self, transform: beam.PTransform) -> None:
        """Runs one transform as a pipeline."""
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | transform


def rescue_report(report_uri: str) -> str:
    """Copies a report beside its artifact's folder and returns where to.

    The outputs of a failed execution are deleted: without the copy, the rows that
    made it fail could not be looked at.
    """
    base, execution = os.path.split(report_uri.rstrip("/"))
    folder = os.path.join(os.path.dirname(base), "failed_ingestion", execution)
    fileio.makedirs(folder)
    for name in fileio.listdir(report_uri):
        fileio.copy(
            os.path.join(report_uri, name), os.path.join(folder, name), overwrite=True
        )
    return folder


class EventExecutor(SourceExecutor):
    """Writes the examples of an event log and the report of its ingestion."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Ingests the log.

        Args:
          input_dict: empty.
          output_dict: `examples`: Examples with splits train, eval and test;
            `ingestion_report`: IngestionReport.
          exec_properties: `input_base`, `input_config`, and the sections `data`,
            `mapping`, `feedback`, `history` as canonical JSON.

        Raises:
          InputError: the log is missing, unreadable, without a mapped column, or has
            too many refused rows. The report then lies in `failed_ingestion`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        data = settings.DataSettings.from_json(exec_properties[DATA])
        event_mapping = settings.EventMapping.from_json(exec_properties[MAPPING])
        feedback = settings.FeedbackSettings.from_json(exec_properties[FEEDBACK])
        files = self.source_files(exec_properties, data.events, "data.events")
        sources.check_actions(event_mapping, feedback)
        sources.check_columns(
            files, mapping.required_columns(event_mapping), "data.source"
        )
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        self.mark_examples(examples, features.SPLITS)
        report_uri = artifact_utils.get_single_uri(output_dict[INGESTION_REPORT])
        ingestion = plan.IngestionPlan(
            files=tuple(files),
            data=data,
            mapping=event_mapping,
            feedback=feedback,
            history=settings.HistorySettings.from_json(exec_properties[HISTORY]),
            examples_dir={
                split: artifact_utils.get_split_uri([examples], split)
                for split in features.SPLITS
            },
            report_dir=report_uri,
            spans=tuple(spans_of(exec_properties)),
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
    with fileio.open(os.path.join(report_uri, report.REPORT_FILE)) as file:
        counts = json.load(file)
    rejected = counts["events_rejected"]
    accounted = (
        counts["events_kept"] + sum(rejected.values()) + counts["events_deduplicated"]
    )
    if counts["events_read"] != accounted:
        raise RuntimeError(
            f"ingestion lost rows: {counts['events_read']} read, but only {accounted} "
            f"kept, rejected or deduplicated"
        )
    try:
        report.check(
            counts["events_read"],
            counts["events_kept"],
            rejected,
            data.max_rejected_share,
            data.events,
            report_uri,
        )
        report.check_splits(counts, data)
    except errors.InputError as error:
        rescued = rescue_report(report_uri)
        raise errors.InputError(str(error).replace(report_uri, rescued)) from error
