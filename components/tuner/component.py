"""Tuner: TFX's tuner, given the catalogue beside the events."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx import types
from tfx.components.tuner import executor as tfx_tuner
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter

from components.trainer import config as trainer_config
from schema import features, settings

TUNER_FN = "components.tuner.search.tuner_fn"
BEST_FILE = "best_hyperparameters.txt"
"""TFX's name of the file that holds KerasTuner's HyperParameters as JSON."""


class TunerSpec(types.ComponentSpec):
    """TFX's TunerSpec with the two catalogue inputs."""

    PARAMETERS = standard_component_specs.TunerSpec.PARAMETERS
    INPUTS = {
        **standard_component_specs.TunerSpec.INPUTS,
        "catalog": ChannelParameter(type=standard_artifacts.Examples),
        "catalog_transform_graph": ChannelParameter(
            type=standard_artifacts.TransformGraph
        ),
    }
    OUTPUTS = standard_component_specs.TunerSpec.OUTPUTS


class Executor(tfx_tuner.Executor):
    """Passes the catalogue's locations to `tuner_fn` in `custom_config`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches, and writes the best values and the table of all trials."""
        catalog_uri = artifact_utils.get_split_uri(
            input_dict["catalog"], features.CATALOG
        )
        custom = {
            **json.loads(exec_properties["custom_config"]),
            "catalog_files": os.path.join(catalog_uri, "*"),
            "catalog_transform_graph": artifact_utils.get_single_uri(
                input_dict["catalog_transform_graph"]
            ),
        }
        super().Do(
            input_dict,
            output_dict,
            {**exec_properties, "custom_config": json.dumps(custom)},
        )


class Tuner(base_component.BaseComponent):
    """Searches hyperparameters.

    Outputs:
      best_hyperparameters: the values of the best trial.
      tuner_results: values and metric of all trials.
    """

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        catalog: types.BaseChannel,
        catalog_transform_graph: types.BaseChannel,
        config: trainer_config.TrainerConfig,
        tuning: settings.TuningSettings,
        source_digest: str,
    ):
        """Wires the component.

        Args:
          examples: transformed event examples with the splits train and eval.
          transform_graph: of the events.
          catalog: transformed catalogue examples.
          catalog_transform_graph: of the catalogue.
          config: the Trainer's part of the configuration; the trials replace some.
          tuning: the section.
          source_digest: digest of the code behind `tuner_fn`, for the cache key.
        """
        custom_config = {
            "config": config.to_json(),
            "tuning": tuning.to_json(),
            "source_digest": source_digest,
        }
        spec = TunerSpec(
            examples=examples,
            transform_graph=transform_graph,
            catalog=catalog,
            catalog_transform_graph=catalog_transform_graph,
            train_args=trainer_pb2.TrainArgs(splits=[features.TRAIN]),
            eval_args=trainer_pb2.EvalArgs(splits=[features.EVAL]),
            tuner_fn=TUNER_FN,
            custom_config=json.dumps(custom_config, sort_keys=True),
            best_hyperparameters=types.Channel(type=standard_artifacts.HyperParameters),
            tuner_results=types.Channel(type=standard_artifacts.TunerResults),
        )
        super().__init__(spec=spec)
