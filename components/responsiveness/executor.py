"""Executor of Responsiveness: simulates through the exported model, and reports."""

from __future__ import annotations

import json
import os
from typing import Any

import tensorflow as tf
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.responsiveness import batches, beam_simulation, measurement
from components.responsiveness import config as simulation_config
from schema import features

REPORT_FILE = "responsiveness.json"
_BEAM_FOLDER = "slates"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Measures how the served model answers negative feedback."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `responsiveness.json`.

        Args:
          input_dict: `examples` (raw events; users start from the train split),
            `model` (IndexBuilder's).
          output_dict: `responsiveness`.
          exec_properties: `simulation_config`, canonical JSON.

        Raises:
          InputError: the model lacks its signature, the train split is empty, or the
            catalogue is too small for the trajectory.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = simulation_config.SimulationConfig.from_json(
            exec_properties["simulation_config"]
        )
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        model_uri = artifact_utils.get_single_uri(input_dict["model"])
        output_dir = artifact_utils.get_single_uri(output_dict["responsiveness"])
        model = measurement.load_model(path_utils.serving_model_path(model_uri))
        run = measurement.in_this_process(model, config.max_length)
        if config.responsiveness.use_beam:

            def run(given: Any, plan: batches.Plan) -> batches.Slates:
                return beam_simulation.run_on_beam(
                    self._make_beam_pipeline,
                    model.directory,
                    config.max_length,
                    given,
                    plan,
                    os.path.join(output_dir, _BEAM_FOLDER),
                )

        events = artifact_utils.get_split_uri([examples], features.TRAIN)
        files = tf.io.gfile.glob(os.path.join(events, "*"))
        content = {
            **measurement.measure(measurement.facts_of(model), files, config, run),
            "examples_uri": examples.uri,
        }
        path = os.path.join(output_dir, REPORT_FILE)
        with tf.io.gfile.GFile(path + ".part", "w") as file:
            file.write(json.dumps(content, indent=1, sort_keys=True))
        tf.io.gfile.rename(path + ".part", path, overwrite=True)
        for key, value in content.items():
            if "." in key:
                logging.info("responsiveness %s: %s", key, value)
