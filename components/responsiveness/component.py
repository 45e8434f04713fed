"""Responsiveness: does the served model heed a dislike?"""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components import artifacts
from components.responsiveness import config as simulation_config
from components.responsiveness import executor


class ResponsivenessSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = {
        "simulation_config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {
        "responsiveness": ChannelParameter(type=artifacts.ResponsivenessReport),
    }


class Responsiveness(base_beam_component.BaseBeamComponent):
    """Outputs `responsiveness`: `responsiveness.json`."""

    SPEC_CLASS = ResponsivenessSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        config: simulation_config.SimulationConfig,
        source_digest: str,
    ):
        """Wires the component.

        Args:
          examples: raw event examples; users start from the train split.
          model: IndexBuilder's model.
          config: the simulation's part of the configuration.
          source_digest: digest of the executor's code, for the cache key.
        """
        spec = ResponsivenessSpec(
            examples=examples,
            model=model,
            simulation_config=config.to_json(),
            source_digest=source_digest,
            responsiveness=types.Channel(type=artifacts.ResponsivenessReport),
        )
        super().__init__(spec=spec)
