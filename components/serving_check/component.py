"""ServingCheck: the model's first client, in a fresh process."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components import specs
from components.serving_check import executor
from schema import settings


class ServingCheckSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = specs.strings("serving_check")
    INPUTS = specs.channels(
        examples=standard_artifacts.Examples, model=standard_artifacts.Model
    )
    OUTPUTS = specs.channels(blessing=standard_artifacts.InfraBlessing)


class ServingCheck(base_component.BaseComponent):
    """Outputs `blessing`, the same artifact as InfraValidator's, without Docker."""

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        serving_check: settings.ServingCheckSettings,
    ):
        """Wires the component.

        Args:
          examples: raw event examples, for real requests.
          model: IndexBuilder's model.
          serving_check: the section.
        """
        spec = specs.fill(
            ServingCheckSpec,
            executor.__name__,
            "components.serving_check.canary",
            examples=examples,
            model=model,
            serving_check=serving_check.to_json(),
        )
        super().__init__(spec=spec)
