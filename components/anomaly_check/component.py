"""AnomalyCheck: stops the run where ExampleValidator only takes notes."""

from __future__ import annotations

import json

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components import artifacts
from components.anomaly_check import executor
from schema import settings


class AnomalyCheckSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = {
        executor.CHECKS: ExecutionParameter(type=str),
        executor.BASELINE_DIR: ExecutionParameter(type=str),
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
        checks: settings.ChecksSettings,
        max_drift_key: str,
        baseline_dir: str,
        source_digest: str,
    ):
        """Wires the component; Transform and Trainer must come after it.

        Args:
          anomalies: what ExampleValidator found.
          statistics: what StatisticsGen counted.
          checks: thresholds.
          max_drift_key: the setting of `checks` that holds those of these examples.
          baseline_dir: folder that outlives executions, in which the statistics of
            the data that passed are kept.
          source_digest: digest of the package's source.
        """
        spec = AnomalyCheckSpec(
            anomalies=anomalies,
            statistics=statistics,
            checks=json.dumps(
                {
                    "max_drift": getattr(checks, max_drift_key),
                    "max_drift_key": f"checks.{max_drift_key}",
                    "max_skew": checks.max_skew,
                    "min_examples": checks.min_examples,
                    "request_log": checks.request_log,
                },
                sort_keys=True,
            ),
            baseline_dir=baseline_dir,
            source_digest=source_digest,
            report=types.Channel(type=artifacts.AnomalyReport),
        )
        super().__init__(spec=spec)
