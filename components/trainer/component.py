"""Trainer: TFX's generic trainer, given the catalogue beside the events."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx import types
from tfx.components.trainer import executor as tfx_trainer
from tfx.components.trainer import fn_args_utils
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs

from components import artifacts, source_digest, specs
from components.trainer import config as trainer_config
from schema import features

RUN_FN = "components.trainer.run_fn.run_fn"
CATALOG_INPUTS = specs.channels(
    catalog=standard_artifacts.Examples,
    catalog_transform_graph=standard_artifacts.TransformGraph,
)
"""What the Tuner reads as well, beside TFX's inputs."""


class TrainerSpec(types.ComponentSpec):
    """TFX's TrainerSpec with the two catalogue inputs."""

    PARAMETERS = standard_component_specs.TrainerSpec.PARAMETERS
    INPUTS = standard_component_specs.TrainerSpec.INPUTS | CATALOG_INPUTS
    OUTPUTS = standard_component_specs.TrainerSpec.OUTPUTS


class Executor(tfx_trainer.GenericExecutor):
    """Passes the catalogue's locations to `run_fn` in `custom_config`."""

    def _GetFnArgs(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> fn_args_utils.FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        fn_args.custom_config = {
            **(fn_args.custom_config or {}),
            **catalog_locations(input_dict),
            "base_record": _base_record(input_dict.get("base_model")),
        }
        return fn_args


def catalog_locations(input_dict: dict[str, list[types.Artifact]]) -> dict[str, str]:
    """Returns `catalog_files` and `catalog_transform_graph` of the custom config."""
    catalog_uri = artifact_utils.get_split_uri(input_dict["catalog"], features.CATALOG)
    return {
        "catalog_files": os.path.join(catalog_uri, "*"),
        "catalog_transform_graph": artifact_utils.get_single_uri(
            input_dict["catalog_transform_graph"]
        ),
    }


def _base_record(models: list[types.Artifact] | None) -> str:
    """Returns where the record of the last blessed model lies; empty: there is none."""
    if not models:
        return ""
    return os.path.join(
        artifacts.trained_towers_uri(models[0]), artifacts.WARM_START_RECORD
    )


class Trainer(base_component.BaseComponent):
    """Trains the two towers.

    Outputs:
      model: SavedModel with the signatures `serving_default` (query embedding from
        raw strings) and `candidates`.
      model_run: training history and TensorBoard logs.
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        catalog: types.BaseChannel,
        catalog_transform_graph: types.BaseChannel,
        config: trainer_config.TrainerConfig,
        checkpoint_root: str,
        base_model: types.BaseChannel | None = None,
    ):
        """Wires the component.

        Args:
          examples: transformed event examples with the splits train and eval.
          transform_graph: of the events.
          catalog: transformed catalogue examples.
          catalog_transform_graph: of the catalogue.
          config: the Trainer's part of the configuration.
          checkpoint_root: directory that outlives executions, in which a killed
            training finds its state again.
          base_model: the last blessed model, whose weights the training starts
            with; None or empty: it starts afresh.
        """
        custom_config = {
            "config": config.to_json(),
            "source_digest": source_digest.function_digest(RUN_FN),
            "checkpoint_root": checkpoint_root,
        }
        spec = TrainerSpec(
            examples=examples,
            transform_graph=transform_graph,
            catalog=catalog,
            catalog_transform_graph=catalog_transform_graph,
            train_args=trainer_pb2.TrainArgs(splits=[features.TRAIN]),
            eval_args=trainer_pb2.EvalArgs(splits=[features.EVAL]),
            run_fn=RUN_FN,
            base_model=base_model,
            custom_config=json.dumps(custom_config, sort_keys=True),
            model=types.Channel(type=standard_artifacts.Model),
            model_run=types.Channel(type=standard_artifacts.ModelRun),
        )
        super().__init__(spec=spec)
