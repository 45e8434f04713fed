"""Executor of Evaluation: calls the exported model and writes the report."""

from __future__ import annotations

import os

import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts, predecessor
from components.evaluation import config as evaluation_config
from components.evaluation import evaluate, predictions, tfma_files
from components.specs import Artifacts, Properties
from components.trainer import candidates
from schema import features, reports


class Executor(base_executor.BaseExecutor):
    """Evaluates the served model on the test split."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Writes `evaluation.json`, `predictions.parquet` and TFMA's files.

        Args:
          input_dict: what the component takes, by the same names.
          output_dict: `evaluation`.
          exec_properties: `evaluation_config`, canonical JSON; `served_models`, the
            directory of versions that is pushed to.

        Raises:
          InputError: the test split holds no target.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = evaluation_config.EvaluationConfig.from_json(
            exec_properties["evaluation_config"]
        )
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        test_files, train_files = (
            tf.io.gfile.glob(
                os.path.join(artifact_utils.get_split_uri([examples], split), "*")
            )
            for split in (features.TEST, features.TRAIN)
        )
        model_uri = artifact_utils.get_single_uri(input_dict["model"])
        transform_output = tft.TFTransformOutput(
            artifact_utils.get_single_uri(input_dict["transform_graph"])
        )
        last_blessed = input_dict.get("baseline_model", [])
        inputs = evaluate.Inputs(
            test_files=test_files,
            train_files=train_files,
            item_count=candidates.read_item_counts(transform_output),
            model_dir=path_utils.serving_model_path(model_uri),
            exact_dir=os.path.join(model_uri, artifacts.EXACT_TWIN),
            predecessor_dir=predecessor.find(
                path_utils.serving_model_path(last_blessed[0].uri)
                if last_blessed
                else None,
                exec_properties.get(predecessor.SERVED_MODELS),
            ),
        )
        found = evaluate.evaluate(inputs, config)
        output = artifact_utils.get_single_instance(output_dict["evaluation"])
        predictions.write(
            os.path.join(output.uri, reports.PREDICTIONS_FILE), found.predictions
        )
        tfma_files.write(output.uri, found.report, inputs.model_dir)
        artifacts.write_report(output, reports.EVALUATION_FILE, found.report)
        logging.info("evaluation: %s", found.report.metrics)
