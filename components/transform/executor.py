"""Executor of Transform."""

from __future__ import annotations

import os

from tfx.components.transform import executor as tfx_executor
from tfx.components.transform import executor_utils
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs

from components.specs import Artifacts, Properties
from components.transform import apply_graph

TRANSFORMED = standard_component_specs.TRANSFORMED_EXAMPLES_KEY
_PREFIX = "transformed_"


class Executor(tfx_executor.Executor):
    """Learns the graph as TFX does, and applies it file by file."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Writes the transform graph and the transformed examples.

        Args:
          input_dict: `examples`, gzip TFRecords, and `schema`.
          output_dict: `transform_graph`, `transformed_examples`.
          exec_properties: those of TFX's Transform.
        """
        graph_alone = {k: v for k, v in output_dict.items() if k != TRANSFORMED}
        super().Do(input_dict, graph_alone, exec_properties)
        examples = artifact_utils.get_single_instance(
            input_dict[standard_component_specs.EXAMPLES_KEY]
        )
        transformed = artifact_utils.get_single_instance(output_dict[TRANSFORMED])
        splits = list(
            executor_utils.ResolveSplitsConfig(
                exec_properties.get(standard_component_specs.SPLITS_CONFIG_KEY),
                [examples],
            ).transform
        )
        executor_utils.SetSplitNames(splits, [transformed])
        shards = []
        for split in splits:
            source, target = (
                artifact_utils.get_split_uri([artifact], split)
                for artifact in (examples, transformed)
            )
            shards += [
                apply_graph.Shard(
                    path, os.path.join(target, _PREFIX + os.path.basename(path))
                )
                for path in sorted(fileio.glob(os.path.join(source, "*")))
            ]
        graph = artifact_utils.get_single_uri(
            output_dict[standard_component_specs.TRANSFORM_GRAPH_KEY]
        )
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | apply_graph.ApplyGraph(shards, graph)
