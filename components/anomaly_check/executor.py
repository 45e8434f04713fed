"""Executor of AnomalyCheck."""

from __future__ import annotations

import json
import os

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.components.example_validator import executor as example_validator
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components import artifacts
from components.anomaly_check import baseline, check, drift
from components.anomaly_check.config import AnomalyCheckConfig
from components.specs import Artifacts, Properties
from components.statistics_gen import counting
from schema import files, reports

CHECKS, BASELINE_DIR = "checks", "baseline_dir"


class Executor(base_executor.BaseExecutor):
    """Raises on every anomaly of a split that holds examples, on drift and on skew."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Writes `anomalies.json`; keeps the statistics of data that passed.

        Args:
          input_dict: `anomalies` (ExampleValidator), `statistics` (StatisticsGen).
          output_dict: `report`.
          exec_properties: `checks` and `baseline_dir`, see the component.

        Raises:
          InputError: a split has anomalies, or a feature has moved too far; the
            message names split, feature, value and threshold.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        checks = AnomalyCheckConfig.from_json(exec_properties[CHECKS])
        folder = exec_properties[BASELINE_DIR]
        anomalies = artifact_utils.get_single_instance(input_dict["anomalies"])
        artifact = artifact_utils.get_single_instance(input_dict["statistics"])
        splits = artifact_utils.decode_split_names(anomalies.split_names)
        statistics = {split: _read_statistics(artifact, split) for split in splits}
        path, before = baseline.latest(folder, baseline.digest(statistics))
        report = check.check(
            statistics,
            {split: _read_anomalies(anomalies, split) for split in splits},
            before,
            path or "no span has passed before",
            checks,
            _split_examples(artifact),
        )
        output = artifact_utils.get_single_instance(output_dict["report"])
        artifacts.write_report(output, reports.ANOMALIES_FILE, report)
        check.raise_on_anomalies(report)
        check.raise_on_moves(report, checks.max_drift_key)
        baseline.keep(folder, statistics)


def _read_statistics(statistics: types.Artifact, split: str) -> drift.Statistics:
    directory = artifact_utils.get_split_uri([statistics], split)
    path = os.path.join(directory, statistics_gen.DEFAULT_FILE_NAME)
    return tfdv.load_stats_binary(path)


def _split_examples(statistics: types.Artifact) -> dict[str, int]:
    """Returns the size of each split whose statistics are of a sample, or may be."""
    path = os.path.join(statistics.uri, counting.SAMPLE_FILE)
    if not fileio.exists(path):
        return {}  # counted by another StatisticsGen, which counts everything
    sizes = json.loads(files.read_bytes(path))
    return {split: num_examples for split, (_, num_examples) in sizes.items()}


def _read_anomalies(anomalies: types.Artifact, split: str) -> dict[str, str]:
    directory = artifact_utils.get_split_uri([anomalies], split)
    found = anomalies_pb2.Anomalies()
    with fileio.open(
        os.path.join(directory, example_validator.DEFAULT_FILE_NAME), "rb"
    ) as file:
        found.ParseFromString(file.read())
    result = {feature: info.description for feature, info in found.anomaly_info.items()}
    if found.HasField("dataset_anomaly_info"):
        result["(data set)"] = found.dataset_anomaly_info.description
    return result
