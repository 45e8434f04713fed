"""Evaluation: relevance and dislike metrics of the served model."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components import predecessor, specs
from components.evaluation import config as evaluation_config
from components.evaluation import executor


class EvaluationSpec(types.ComponentSpec):
    """See `Evaluation`, and `executor.Executor.Do`."""

    PARAMETERS = specs.strings("evaluation_config", predecessor.SERVED_MODELS)
    INPUTS = specs.channels(
        examples=standard_artifacts.Examples,
        transform_graph=standard_artifacts.TransformGraph,
        model=standard_artifacts.Model,
    ) | specs.optional(baseline_model=standard_artifacts.Model)
    OUTPUTS = specs.channels(evaluation=standard_artifacts.ModelEvaluation)


class Evaluation(base_component.BaseComponent):
    """Outputs `evaluation`: `evaluation.json` and `predictions.parquet`."""

    SPEC_CLASS = EvaluationSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        model: types.BaseChannel,
        config: evaluation_config.EvaluationConfig,
        baseline_model: types.BaseChannel | None = None,
        served_models: str = "",
    ):
        """Wires the component.

        Args:
          examples: raw event examples with the split test.
          transform_graph: of the events; gives the item counts.
          model: IndexBuilder's model.
          config: Evaluation's part of the configuration.
          baseline_model: the last blessed model; the first run has none.
          served_models: directory of versions, whose newest one is the baseline where
            there is no blessed model; empty: nothing is served.
        """
        spec = specs.fill(
            EvaluationSpec,
            executor.__name__,
            examples=examples,
            transform_graph=transform_graph,
            model=model,
            baseline_model=baseline_model,
            evaluation_config=config.to_json(),
            served_models=served_models,
        )
        super().__init__(spec=spec)
