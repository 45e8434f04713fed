"""Executor of TowerRefresher."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts
from components.tower_refresher import refresh
from components.trainer import config as trainer_config
from components.trainer import signatures
from schema import features


class Executor(base_executor.BaseExecutor):
    """Exports trained towers with the candidates of a newer catalogue."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `Format-Serving/` of the refreshed towers.

        Args:
          input_dict: `towers` (the Trainer's model), `transform_graph` (of the events)
            and `catalog_transform_graph`, both of the training run, `catalog` (raw
            examples of the newer catalogue).
          output_dict: `model`.
          exec_properties: `trainer_config`, canonical JSON of what the towers were
            trained with.

        Raises:
          InputError: the weights are not those of this configuration and code.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        catalog = artifact_utils.get_split_uri(input_dict["catalog"], features.CATALOG)
        towers = refresh.refreshed_towers(
            path_utils.serving_model_path(
                artifact_utils.get_single_uri(input_dict["towers"])
            ),
            tf.io.gfile.glob(os.path.join(catalog, "*")),
            tft.TFTransformOutput(
                artifact_utils.get_single_uri(input_dict["catalog_transform_graph"])
            ),
            tft.TFTransformOutput(
                artifact_utils.get_single_uri(input_dict["transform_graph"])
            ),
            trainer_config.TrainerConfig.from_json(exec_properties["trainer_config"]),
        )
        model_uri = artifact_utils.get_single_uri(output_dict["model"])
        output_dict["model"][0].set_string_custom_property(
            artifacts.TRAINED_TOWERS_URI,
            artifacts.trained_towers_uri(input_dict["towers"][0]),
        )
        signatures.export(towers, path_utils.serving_model_dir(model_uri))
