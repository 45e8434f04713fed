"""IndexBuilder: candidate embeddings become a searchable, servable model."""

from __future__ import annotations

import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components import specs
from components.index_builder import executor
from schema import settings


class IndexBuilderSpec(types.ComponentSpec):
    """See `IndexBuilder`, and `executor.Executor.Do`."""

    PARAMETERS = specs.strings("index", "run_config", "max_lost_items_share")
    INPUTS = specs.channels(
        towers=standard_artifacts.Model,
        examples=standard_artifacts.Examples,
        catalog=standard_artifacts.Examples,
    ) | specs.optional(previous_catalog=standard_artifacts.Examples)
    OUTPUTS = specs.channels(model=standard_artifacts.Model)


class IndexBuilder(base_component.BaseComponent):
    """Outputs `model`: the endpoint in `Format-Serving/` and its exact twin."""

    SPEC_CLASS = IndexBuilderSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        towers: types.BaseChannel,
        examples: types.BaseChannel,
        catalog: types.BaseChannel,
        index: settings.IndexSettings,
        run_config: dict[str, Any],
        previous_catalog: types.BaseChannel | None = None,
        max_lost_items_share: float = 1.0,
    ):
        """Wires the component.

        Args:
          towers: the Trainer's model.
          examples: raw event examples; the eval split gives tuning queries.
          catalog: raw catalogue examples, for titles, filters and withdrawn items.
          index: the section.
          run_config: what the model's manifest records of the configuration.
          previous_catalog: the training run's catalogue, where `catalog` is a newer
            one: its items that are gone are withdrawn.
          max_lost_items_share: largest share of them that may be.
        """
        spec = specs.fill(
            IndexBuilderSpec,
            executor.__name__,
            towers=towers,
            examples=examples,
            catalog=catalog,
            previous_catalog=previous_catalog,
            index=index.to_json(),
            run_config=json.dumps(run_config, sort_keys=True),
            max_lost_items_share=f"{max_lost_items_share:g}",
        )
        super().__init__(spec=spec)
