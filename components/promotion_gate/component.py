"""PromotionGate: measures nothing, decides everything, refuses by default."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components import artifacts
from components.promotion_gate import executor
from schema import settings


class PromotionGateSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = {
        "gate": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "responsiveness": ChannelParameter(type=artifacts.ResponsivenessReport),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "event_anomalies": ChannelParameter(type=artifacts.AnomalyReport),
        "catalog_anomalies": ChannelParameter(type=artifacts.AnomalyReport),
        "baseline_model": ChannelParameter(
            type=standard_artifacts.Model, optional=True
        ),
    }
    OUTPUTS = {
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "promotion": ChannelParameter(type=artifacts.PromotionReport),
    }


class PromotionGate(base_component.BaseComponent):
    """Outputs `blessing` and `promotion` (`promotion.json`)."""

    SPEC_CLASS = PromotionGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        evaluation: types.BaseChannel,
        responsiveness: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        examples: types.BaseChannel,
        event_anomalies: types.BaseChannel,
        catalog_anomalies: types.BaseChannel,
        gate: settings.GateSettings,
        source_digest: str,
        baseline_model: types.BaseChannel | None = None,
    ):
        """Wires the component.

        Args:
          model: the model to be pushed.
          evaluation: Evaluation's report.
          responsiveness: Responsiveness' report.
          infra_blessing: ServingCheck's blessing with its report.
          examples: raw event examples that the reports must be measured on.
          event_anomalies: report of the event log's anomaly check.
          catalog_anomalies: the same of the catalogue.
          gate: the policy.
          source_digest: digest of the executor's code, for the cache key.
          baseline_model: the last blessed model; the first run has none.
        """
        spec = PromotionGateSpec(
            model=model,
            evaluation=evaluation,
            responsiveness=responsiveness,
            infra_blessing=infra_blessing,
            examples=examples,
            event_anomalies=event_anomalies,
            catalog_anomalies=catalog_anomalies,
            baseline_model=baseline_model,
            gate=gate.to_json(),
            source_digest=source_digest,
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            promotion=types.Channel(type=artifacts.PromotionReport),
        )
        super().__init__(spec=spec)
