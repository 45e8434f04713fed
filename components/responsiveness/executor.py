"""Executor of Responsiveness: simulates through the exported model, and reports."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts
from components.responsiveness import batches, beam_simulation, measurement, recommend
from components.responsiveness import config as simulation_config
from schema import features, reports

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
          input_dict: `examples` (raw events; users start from the train split, and
            those of the judge split judge), `model` (IndexBuilder's).
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
        output = artifact_utils.get_single_instance(output_dict["responsiveness"])
        model = recommend.load(path_utils.serving_model_path(model_uri))
        if config.responsiveness.use_beam:
            run_batches = beam_simulation.run_on_beam(
                self._make_beam_pipeline,
                model.directory,
                config.max_length,
                os.path.join(output.uri, _BEAM_FOLDER),
            )
        else:
            ask = recommend.through(model, config.max_length)
            run_batches = batches.run_in_process(ask)
        report = measurement.measure(
            model,
            _files(examples, features.TRAIN),
            _files(examples, features.JUDGE),
            config,
            run_batches,
        )
        report = report.model_copy(update={"examples_uri": examples.uri})
        artifacts.write_report(output, reports.RESPONSIVENESS_FILE, report)
        for similarity, by_action in report.effects.items():
            for action, effect in by_action.items():
                logging.info("responsiveness %s by %s: %s", action, similarity, effect)


def _files(examples: types.Artifact, split: str) -> list[str]:
    """Returns the files of a split; none where the examples lack it."""
    if split not in artifact_utils.decode_split_names(examples.split_names):
        return []
    folder = artifact_utils.get_split_uri([examples], split)
    return sorted(tf.io.gfile.glob(os.path.join(folder, "*")))
