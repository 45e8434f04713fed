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

from components.anomaly_check import baseline, drift, request_log
from schema import errors, features

CHECKS, BASELINE_DIR = "checks", "baseline_dir"
REPORT_FILE = "anomalies.json"


class Executor(base_executor.BaseExecutor):
    """Raises on every anomaly of a split that holds examples, on drift and on skew."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
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
        checks = json.loads(exec_properties[CHECKS])
        folder = exec_properties[BASELINE_DIR]
        anomalies = artifact_utils.get_single_instance(input_dict["anomalies"])
        artifact = artifact_utils.get_single_instance(input_dict["statistics"])
        splits = artifact_utils.decode_split_names(anomalies.split_names)
        statistics = {split: _read_statistics(artifact, split) for split in splits}
        path, before = baseline.latest(folder, baseline.digest(statistics))
        content: dict[str, Any] = {}
        for split, found in statistics.items():
            num_examples = drift.num_examples(found)
            content[split] = {
                "examples": num_examples,
                "anomalies": _read_anomalies(anomalies, split) if num_examples else {},
                "drift": _compare(
                    found,
                    before.get(split),
                    checks["max_drift"],
                    checks["min_examples"],
                    path or "no span has passed before",
                ),
            }
        if checks["request_log"] and features.TRAIN in statistics:
            content[features.TRAIN]["skew"] = _skew(statistics[features.TRAIN], checks)
        uri = artifact_utils.get_single_uri(output_dict["report"])
        with fileio.open(os.path.join(uri, REPORT_FILE), "w") as file:
            file.write(json.dumps(content, indent=1, sort_keys=True))
        raise_on_anomalies(content)
        raise_on_moves(content, checks["max_drift_key"])
        baseline.keep(folder, statistics)


def _skew(train: drift.Statistics, checks: dict[str, Any]) -> dict[str, Any]:
    """Returns how far the training split lies from the logged requests."""
    requests = request_log.read(checks["request_log"])
    found = _compare(
        train,
        requests.statistics,
        checks["max_skew"],
        checks["min_examples"],
        checks["request_log"],
    )
    return {
        **found,
        "requests": requests.num_requests,
        "bad_lines": requests.num_bad_lines,
    }


def _compare(
    statistics: drift.Statistics,
    other: drift.Statistics | None,
    thresholds: dict[str, float],
    min_examples: int,
    against: str,
) -> dict[str, Any]:
    """Returns the features' distances, or why there are none."""
    sides = [drift.num_examples(side) for side in (statistics, other) if side]
    if len(sides) < 2 or min(sides) < min_examples:
        return {"against": against, "features": {}, "compared": False}
    moves = drift.moves(statistics, other, thresholds)
    return {
        "against": against,
        "compared": True,
        "features": {
            move.feature: {
                "value": move.value,
                "threshold": move.threshold,
                "allowed": move.is_allowed,
            }
            for move in moves
        },
    }


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


def raise_on_moves(content: dict[str, Any], max_drift_key: str) -> None:
    """Raises InputError when a feature has drifted, or is skewed, too far.

    Args:
      content: the report.
      max_drift_key: the setting that holds the thresholds of drift.
    """
    lines = [
        f"split {split}, feature {feature}: {kind} {move['value']:.4g} against "
        f"{entry[kind]['against']} is above `{key}.{feature}` = {move['threshold']:g}"
        for split, entry in sorted(content.items())
        for kind, key in (("drift", max_drift_key), ("skew", "checks.max_skew"))
        for feature, move in sorted(entry.get(kind, {}).get("features", {}).items())
        if not move["allowed"]
    ]
    if lines:
        raise errors.InputError(
            "the distribution of the data has moved: "
            + "; ".join(lines)
            + ". Look at the log; if the change is right, raise the threshold for this "
            "run: data that pass are the measure of the next ones"
        )


def _read_statistics(statistics: types.Artifact, split: str) -> drift.Statistics:
    directory = artifact_utils.get_split_uri([statistics], split)
    path = os.path.join(directory, statistics_gen.DEFAULT_FILE_NAME)
    return tfdv.load_stats_binary(path)


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
