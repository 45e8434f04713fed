"""AnomalyCheck: stops the run where ExampleValidator only takes notes."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components import artifacts, specs
from components.anomaly_check import executor
from components.anomaly_check.config import AnomalyCheckConfig
from schema import settings


class AnomalyCheckSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = specs.strings(executor.CHECKS, executor.BASELINE_DIR)
    INPUTS = specs.channels(
        anomalies=standard_artifacts.ExampleAnomalies,
        statistics=standard_artifacts.ExampleStatistics,
    )
    OUTPUTS = specs.channels(report=artifacts.AnomalyReport)


class AnomalyCheck(base_component.BaseComponent):
    """Outputs `report`, which exists only when the data are sound."""

    SPEC_CLASS = AnomalyCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        anomalies: types.BaseChannel,
        statistics: types.BaseChannel,
        checks: settings.ChecksSettings,
        max_drift_key: str,
        baseline_dir: str,
    ):
        """Wires the component; Transform and Trainer must come after it.

        Args:
          anomalies: what ExampleValidator found.
          statistics: what StatisticsGen counted.
          checks: thresholds.
          max_drift_key: the setting of `checks` that holds those of these examples.
          baseline_dir: folder that outlives executions, in which the statistics of
            the data that passed are kept.
        """
        spec = specs.fill(
            AnomalyCheckSpec,
            executor.__name__,
            anomalies=anomalies,
            statistics=statistics,
            checks=AnomalyCheckConfig.of(checks, max_drift_key).to_json(),
            baseline_dir=baseline_dir,
        )
        super().__init__(spec=spec)
