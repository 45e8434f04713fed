"""Responsiveness: does the served model heed a dislike?"""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts

from components import artifacts, specs
from components.responsiveness import config as simulation_config
from components.responsiveness import executor


class ResponsivenessSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = specs.strings("simulation_config")
    INPUTS = specs.channels(
        examples=standard_artifacts.Examples, model=standard_artifacts.Model
    )
    OUTPUTS = specs.channels(responsiveness=artifacts.ResponsivenessReport)


class Responsiveness(base_beam_component.BaseBeamComponent):
    """Outputs `responsiveness`: `responsiveness.json`."""

    SPEC_CLASS = ResponsivenessSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        config: simulation_config.SimulationConfig,
    ):
        """Wires the component.

        Args:
          examples: raw event examples; users start from the train split.
          model: IndexBuilder's model.
          config: the simulation's part of the configuration.
        """
        spec = specs.fill(
            ResponsivenessSpec,
            executor.__name__,
            examples=examples,
            model=model,
            simulation_config=config.to_json(),
        )
        super().__init__(spec=spec)
