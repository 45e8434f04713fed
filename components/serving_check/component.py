"""ServingCheck: the model's first client, in a fresh process."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.serving_check import executor
from schema import settings


class ServingCheckSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = {
        "serving_check": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {
        "blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class ServingCheck(base_component.BaseComponent):
    """Outputs `blessing`, the same artifact as InfraValidator's, without Docker."""

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        serving_check: settings.ServingCheckSettings,
        source_digest: str,
    ):
        """Wires the component.

        Args:
          examples: raw event examples, for real requests.
          model: IndexBuilder's model.
          serving_check: the section.
          source_digest: digest of the executor's code, for the cache key.
        """
        spec = ServingCheckSpec(
            examples=examples,
            model=model,
            serving_check=serving_check.to_json(),
            source_digest=source_digest,
            blessing=types.Channel(type=standard_artifacts.InfraBlessing),
        )
        super().__init__(spec=spec)
