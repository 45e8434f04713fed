"""Executor of ServingCheck: a model that a fresh process can serve is blessed."""

from __future__ import annotations

import os

import tensorflow as tf
from absl import logging
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts
from components.serving_check import check
from components.specs import Artifacts, Properties
from schema import features, reports, settings


class Executor(base_executor.BaseExecutor):
    """Emits the InfraBlessing that TFX's InfraValidator would emit."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Writes the blessing, with `serving_check.json` beside its marker file.

        Args:
          input_dict: `examples` (raw events, for real requests), `model`.
          output_dict: `blessing`.
          exec_properties: `serving_check`, canonical JSON of the section.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        policy = settings.ServingCheckSettings.from_json(
            exec_properties["serving_check"]
        )
        model_uri = artifact_utils.get_single_uri(input_dict["model"])
        model_dir = path_utils.serving_model_path(model_uri)
        split = artifact_utils.get_split_uri(input_dict["examples"], features.TRAIN)
        requests = tf.io.gfile.glob(os.path.join(split, "*"))
        exact_dir = os.path.join(model_uri, artifacts.EXACT_TWIN)
        report = check.check(model_dir, exact_dir, requests, policy)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        artifacts.write_report(blessing, reports.SERVING_CHECK_FILE, report)
        artifacts.bless(blessing, not report.failures)
        logging.info("serving check: %s", reports.to_json(report))
