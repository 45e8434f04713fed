"""TowerRefresher: trained towers meet a newer catalogue, without training."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.tower_refresher import executor
from components.trainer import config as trainer_config


class TowerRefresherSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = {
        "trainer_config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "towers": ChannelParameter(type=standard_artifacts.Model),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "catalog_transform_graph": ChannelParameter(
            type=standard_artifacts.TransformGraph
        ),
        "catalog": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
    }


class TowerRefresher(base_component.BaseComponent):
    """Outputs `model`: what the Trainer would export for the newer catalogue."""

    SPEC_CLASS = TowerRefresherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        towers: types.BaseChannel,
        transform_graph: types.BaseChannel,
        catalog_transform_graph: types.BaseChannel,
        catalog: types.BaseChannel,
        config: trainer_config.TrainerConfig,
        source_digest: str,
    ):
        """Wires the component.

        Args:
          towers: the Trainer's model.
          transform_graph: of the events of the training run.
          catalog_transform_graph: of the catalogue of the training run.
          catalog: raw examples of the newer catalogue.
          config: what the towers were trained with.
          source_digest: digest of the executor's code, for the cache key.
        """
        spec = TowerRefresherSpec(
            towers=towers,
            transform_graph=transform_graph,
            catalog_transform_graph=catalog_transform_graph,
            catalog=catalog,
            trainer_config=config.to_json(),
            source_digest=source_digest,
            model=types.Channel(type=standard_artifacts.Model),
        )
        super().__init__(spec=spec)
