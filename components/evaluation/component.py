"""Evaluation: relevance and dislike metrics of the served model."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.evaluation import config as evaluation_config
from components.evaluation import executor


class EvaluationSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = {
        "evaluation_config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": ChannelParameter(
            type=standard_artifacts.Model, optional=True
        ),
    }
    OUTPUTS = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }


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
        source_digest: str,
        baseline_model: types.BaseChannel | None = None,
    ):
        """Wires the component.

        Args:
          examples: raw event examples with the split test.
          transform_graph: of the events; gives the item counts.
          model: IndexBuilder's model.
          config: Evaluation's part of the configuration.
          source_digest: digest of the executor's code, for the cache key.
          baseline_model: the last blessed model; the first run has none.
        """
        spec = EvaluationSpec(
            examples=examples,
            transform_graph=transform_graph,
            model=model,
            baseline_model=baseline_model,
            evaluation_config=config.to_json(),
            source_digest=source_digest,
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
        )
        super().__init__(spec=spec)
