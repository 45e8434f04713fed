"""Tuner: TFX's tuner, given the catalogue beside the events."""

from __future__ import annotations

import json
from typing import Any

from tfx import types
from tfx.components.tuner import executor as tfx_tuner
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts, standard_component_specs

from components import source_digest
from components.trainer import component as trainer
from components.trainer import config as trainer_config
from schema import features, settings

TUNER_FN = "components.tuner.tuner_fn.tuner_fn"
BEST_FILE = "best_hyperparameters.txt"
"""TFX's name of the file that holds KerasTuner's HyperParameters as JSON."""


class TunerSpec(types.ComponentSpec):
    """TFX's TunerSpec with the two catalogue inputs."""

    PARAMETERS = standard_component_specs.TunerSpec.PARAMETERS
    INPUTS = standard_component_specs.TunerSpec.INPUTS | trainer.CATALOG_INPUTS
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
        custom = {
            **json.loads(exec_properties["custom_config"]),
            **trainer.catalog_locations(input_dict),
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
    ):
        """Wires the component.

        Args:
          examples: transformed event examples with the splits train and eval.
          transform_graph: of the events.
          catalog: transformed catalogue examples.
          catalog_transform_graph: of the catalogue.
          config: the Trainer's part of the configuration; the trials replace some.
          tuning: the section.
        """
        custom_config = {
            "config": config.to_json(),
            "tuning": tuning.to_json(),
            "source_digest": source_digest.function_digest(TUNER_FN),
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
