"""PromotionGate: measures nothing, decides everything, refuses by default."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components import artifacts, predecessor, specs
from components.promotion_gate import config as gate_config
from components.promotion_gate import executor


class PromotionGateSpec(types.ComponentSpec):
    """See `PromotionGate`, and `executor.Executor.Do`."""

    PARAMETERS = specs.strings("gate_config", predecessor.SERVED_MODELS)
    INPUTS = specs.channels(
        model=standard_artifacts.Model,
        evaluation=standard_artifacts.ModelEvaluation,
        responsiveness=artifacts.ResponsivenessReport,
        infra_blessing=standard_artifacts.InfraBlessing,
        examples=standard_artifacts.Examples,
        event_anomalies=artifacts.AnomalyReport,
        catalog_anomalies=artifacts.AnomalyReport,
    ) | specs.optional(baseline_model=standard_artifacts.Model)
    OUTPUTS = specs.channels(
        blessing=standard_artifacts.ModelBlessing, promotion=artifacts.PromotionReport
    )


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
        config: gate_config.GateConfig,
        baseline_model: types.BaseChannel | None = None,
        served_models: str = "",
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
          config: the policy, and what it can be held by.
          baseline_model: the last blessed model; the first run has none.
          served_models: see Evaluation.
        """
        spec = specs.fill(
            PromotionGateSpec,
            executor.__name__,
            model=model,
            evaluation=evaluation,
            responsiveness=responsiveness,
            infra_blessing=infra_blessing,
            examples=examples,
            event_anomalies=event_anomalies,
            catalog_anomalies=catalog_anomalies,
            baseline_model=baseline_model,
            gate_config=config.to_json(),
            served_models=served_models,
        )
        super().__init__(spec=spec)
