"""EventExampleGen: an event log in, windows of user histories out."""

from __future__ import annotations

import hashlib
import os
from typing import Any, ClassVar

from tfx import types
from tfx.components.example_gen import component as example_gen
from tfx.components.example_gen import driver, utils
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.dsl.io import fileio
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.utils import proto_utils

from components import artifacts
from components.event_example_gen import executor
from components.ingestion import locations, spans
from schema import errors, settings

SOURCE_PARAMETERS = {
    standard_component_specs.INPUT_BASE_KEY: component_spec.ExecutionParameter(
        type=str
    ),
    standard_component_specs.INPUT_CONFIG_KEY: component_spec.ExecutionParameter(
        type=example_gen_pb2.Input
    ),
    standard_component_specs.RANGE_CONFIG_KEY: component_spec.ExecutionParameter(
        type=range_config_pb2.RangeConfig, optional=True
    ),
    executor.DATA: component_spec.ExecutionParameter(type=str),
    executor.MAPPING: component_spec.ExecutionParameter(type=str),
    executor.SOURCE_DIGEST: component_spec.ExecutionParameter(type=str),
}
"""Execution properties that both example generators have."""


def source_properties(location: str, window_spans: int = 1) -> dict[str, Any]:
    """Returns `input_base` and `input_config` for a path, glob or pattern.

    Args:
      location: what the user wrote.
      window_spans: how many newest spans are read; the name of the input split
        carries it to the driver, which some orchestrators give nothing else.
    """
    base, pattern = locations.split_location(location)
    name = spans.window_name(window_spans) if locations.has_spec(pattern) else "source"
    return {
        standard_component_specs.INPUT_BASE_KEY: base,
        standard_component_specs.INPUT_CONFIG_KEY: example_gen_pb2.Input(
            splits=[example_gen_pb2.Input.Split(name=name, pattern=pattern)]
        ),
    }


class SourceDriver(driver.FileBasedDriver):
    """Resolves the span, and fingerprints the files more finely than TFX does.

    TFX sums sizes and modification times in whole seconds: an edit that keeps a
    file's size within a second of the last one would go unnoticed.
    """

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """Returns the properties with span, version and fingerprint.

        Raises:
          InputError: no file matches the pattern.
        """
        location = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        given = executor.input_config(exec_properties)
        try:
            resolved = super().resolve_exec_properties(
                exec_properties, pipeline_info, component_info
            )
        except ValueError as error:
            raise errors.InputError(
                f"no span of the source below {location} was found: {error}; expected "
                f"files that match the {{SPAN}} pattern."
            ) from error
        config = executor.with_window(
            location, given, resolved[utils.SPAN_PROPERTY_NAME]
        )
        resolved[standard_component_specs.INPUT_CONFIG_KEY] = proto_utils.proto_to_json(
            config
        )
        paths = [
            path
            for split in config.splits
            for path in fileio.glob(f"{location}/{split.pattern}")
        ]
        resolved[utils.FINGERPRINT_PROPERTY_NAME] += f",files:{_digest(paths)}"
        return resolved


def _digest(paths: list[str]) -> str:
    """Returns a digest of names, sizes and modification times."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        if locations.is_remote(path):
            stat = fileio.stat(path)
            size, modified = stat.length, stat.mtime_nsec
        else:
            # TensorFlow's stat knows whole seconds only.
            local = os.stat(path)
            size, modified = local.st_size, local.st_mtime_ns
        digest.update(f"{path}\n{size}\n{modified}\n".encode())
    return digest.hexdigest()[:16]


class EventExampleGenSpec(types.ComponentSpec):
    """Specification of EventExampleGen."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **SOURCE_PARAMETERS,
        executor.FEEDBACK: component_spec.ExecutionParameter(type=str),
        executor.HISTORY: component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {
        standard_component_specs.EXAMPLES_KEY: component_spec.ChannelParameter(
            type=standard_artifacts.Examples
        ),
        executor.INGESTION_REPORT: component_spec.ChannelParameter(
            type=artifacts.IngestionReport
        ),
    }


class EventExampleGen(example_gen.FileBasedExampleGen):
    """Ingests an event log.

    Outputs:
      examples: splits train, eval and test; one example is one window of one user's
        history, see `schema.features`.
      ingestion_report: what became of each row.
    """

    SPEC_CLASS = EventExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.EventExecutor)
    DRIVER_CLASS = SourceDriver

    def __init__(
        self,
        data: settings.DataSettings,
        mapping: settings.EventMapping,
        feedback: settings.FeedbackSettings,
        history: settings.HistorySettings,
        source_digest: str = "",
    ):
        """Wires the component.

        Args:
          data: where the log lies and how it is split; `data.items` is ignored.
          mapping: from its columns to canonical events.
          feedback: the policy of actions.
          history: merging and windows.
          source_digest: digest of the package's source, so that an edited file
            reruns the step.
        """
        spec = EventExampleGenSpec(
            **source_properties(data.events, data.window_spans),
            data=data.model_copy(update={"items": "", "item_features": {}}).to_json(),
            mapping=mapping.to_json(),
            feedback=feedback.to_json(),
            history=history.to_json(),
            source_digest=source_digest,
            examples=types.Channel(type=standard_artifacts.Examples),
            ingestion_report=types.Channel(type=artifacts.IngestionReport),
        )
        # The parent's initialiser builds the specification of its own.
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
