"""AnomalyCheck: stops the run where ExampleValidator only takes notes."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components import artifacts
from components.anomaly_check import executor


class AnomalyCheckSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = {
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }
    OUTPUTS = {
        "report": ChannelParameter(type=artifacts.AnomalyReport),
    }


class AnomalyCheck(base_component.BaseComponent):
    """Outputs `report`, which exists only when the data are sound."""

    SPEC_CLASS = AnomalyCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        anomalies: types.BaseChannel,
        statistics: types.BaseChannel,
        source_digest: str,
    ):
        """Wires the component; Transform and Trainer must come after it."""
        spec = AnomalyCheckSpec(
            anomalies=anomalies,
            statistics=statistics,
            source_digest=source_digest,
            report=types.Channel(type=artifacts.AnomalyReport),
        )
        super().__init__(spec=spec)
