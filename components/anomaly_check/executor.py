"""Executor of AnomalyCheck."""

from __future__ import annotations

import json
import os
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.components.example_validator import executor as example_validator
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from schema import errors

REPORT_FILE = "anomalies.json"


class Executor(base_executor.BaseExecutor):
    """Raises on every anomaly of a split that holds examples."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `anomalies.json`: examples and anomalies of each split.

        Args:
          input_dict: `anomalies` (ExampleValidator), `statistics` (StatisticsGen).
          output_dict: `report`.
          exec_properties: nothing that is read.

        Raises:
          InputError: a split has anomalies; the message names split, feature and
            what is wrong with it.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        anomalies = artifact_utils.get_single_instance(input_dict["anomalies"])
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        content: dict[str, Any] = {}
        for split in artifact_utils.decode_split_names(anomalies.split_names):
            num_examples = _num_examples(statistics, split)
            found = _read_anomalies(anomalies, split) if num_examples else {}
            content[split] = {"examples": num_examples, "anomalies": found}
        uri = artifact_utils.get_single_uri(output_dict["report"])
        with fileio.open(os.path.join(uri, REPORT_FILE), "w") as file:
            file.write(json.dumps(content, indent=1, sort_keys=True))
        raise_on_anomalies(content)


def raise_on_anomalies(content: dict[str, Any]) -> None:
    """Raises InputError when any split of the report holds an anomaly."""
    lines = [
        f"split {split}, feature {feature}: {reason}"
        for split, entry in sorted(content.items())
        for feature, reason in sorted(entry["anomalies"].items())
    ]
    if lines:
        raise errors.InputError(
            "the data break the curated schema: "
            + "; ".join(lines)
            + "; mend the log or, if the new form is right, the schema in `schema/`"
        )


def _num_examples(statistics: types.Artifact, split: str) -> int:
    directory = artifact_utils.get_split_uri([statistics], split)
    path = os.path.join(directory, statistics_gen.DEFAULT_FILE_NAME)
    datasets = tfdv.load_stats_binary(path).datasets
    return int(datasets[0].num_examples) if datasets else 0


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
