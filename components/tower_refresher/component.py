"""TowerRefresher: trained towers meet a newer catalogue, without training."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components import specs
from components.tower_refresher import executor
from components.trainer import config as trainer_config


class TowerRefresherSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = specs.strings("trainer_config")
    INPUTS = specs.channels(
        towers=standard_artifacts.Model,
        transform_graph=standard_artifacts.TransformGraph,
        catalog_transform_graph=standard_artifacts.TransformGraph,
        catalog=standard_artifacts.Examples,
    )
    OUTPUTS = specs.channels(model=standard_artifacts.Model)


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
    ):
        """Wires the component.

        Args:
          towers: the Trainer's model.
          transform_graph: of the events of the training run.
          catalog_transform_graph: of the catalogue of the training run.
          catalog: raw examples of the newer catalogue.
          config: what the towers were trained with.
        """
        spec = specs.fill(
            TowerRefresherSpec,
            executor.__name__,
            towers=towers,
            transform_graph=transform_graph,
            catalog_transform_graph=catalog_transform_graph,
            catalog=catalog,
            trainer_config=config.to_json(),
        )
        super().__init__(spec=spec)
