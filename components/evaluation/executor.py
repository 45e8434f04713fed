"""Executor of Evaluation: calls the exported model and writes the report."""

from __future__ import annotations

import io
import json
import os
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import progress
from components.evaluation import config as evaluation_config
from components.evaluation import metrics, report
from components.index_builder import held_out, served_model
from components.trainer import input_fn
from schema import errors, features

REPORT_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.parquet"
_INDEX_RECALL_REQUESTS = 2_000


class Executor(base_executor.BaseExecutor):
    """Evaluates the served model on the test split."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `evaluation.json` and `predictions.parquet`.

        Args:
          input_dict: `examples` (raw, with a test split), `transform_graph` (item
            counts), `model` (IndexBuilder's), `baseline_model` (optional).
          output_dict: `evaluation`.
          exec_properties: `evaluation_config`, canonical JSON.

        Raises:
          InputError: the test split holds no target.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = evaluation_config.EvaluationConfig.from_json(
            exec_properties["evaluation_config"]
        )
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        test_uri = artifact_utils.get_split_uri([examples], features.TEST)
        model = artifact_utils.get_single_instance(input_dict["model"])
        transform_output = tft.TFTransformOutput(
            artifact_utils.get_single_uri(input_dict["transform_graph"])
        )
        baselines = input_dict.get("baseline_model", [])
        content = evaluate(
            tf.io.gfile.glob(os.path.join(test_uri, "*")),
            model.uri,
            baselines[0].uri if baselines else None,
            input_fn.read_item_counts(transform_output),
            config,
            artifact_utils.get_single_uri(output_dict["evaluation"]),
        )
        logging.info("evaluation: %s", content["metrics"])


def evaluate(
    test_files: list[str],
    model_uri: str,
    baseline_uri: str | None,
    item_count: dict[bytes, int],
    config: evaluation_config.EvaluationConfig,
    output_dir: str,
) -> dict[str, Any]:
    """Evaluates a model artifact, writes both files, and returns the report."""
    evaluation = config.evaluation
    targets = held_out.targets(
        held_out.read_windows(test_files), evaluation.max_targets, evaluation.seed
    )
    if not targets:
        raise errors.InputError(
            "the test split holds no interaction to evaluate on: check `data.split` "
            "and its cuts against the log's time range"
        )
    table = report.TargetTable(targets, config.feedback, evaluation)
    model = served_model.ServedModel(path_utils.serving_model_path(model_uri))
    top = served_lists(model, targets, table.cutoffs, evaluation.batch_size)
    rank = metrics.target_rank(top, table.item_id)

    everything = np.ones(len(table), bool)
    overall = table.relevance(rank, everything)
    num_candidates = model.manifest["num_candidates"]
    for k in table.cutoffs:
        overall[f"coverage@{k}"] = report.coverage(
            top, k, num_candidates, evaluation.seed
        )
    overall.update(_index_recall(model_uri, targets, top, table, evaluation.batch_size))
    histories = [t.window.item_id[: t.position] for t in targets]
    popular = report.popularity_lists(item_count, histories, top.shape[1])
    popular_rank = metrics.target_rank(popular, table.item_id)
    baselines: dict[str, Any] = {
        "popularity": {
            **table.relevance(popular_rank, everything),
            "differences": table.difference(rank, popular_rank),
        }
    }
    if baseline_uri is not None and not _is_same_model(baseline_uri, model):
        baseline = served_model.ServedModel(path_utils.serving_model_path(baseline_uri))
        lists = served_lists(baseline, targets, table.cutoffs, evaluation.batch_size)
        other_rank = metrics.target_rank(lists, table.item_id)
        baselines["last_blessed"] = {
            "model_id": baseline.manifest.get("model_id"),
            **table.relevance(other_rank, everything),
            "differences": table.difference(rank, other_rank),
        }
    content = {
        "model_id": model.manifest["model_id"],
        "split": features.TEST,
        "targets": len(table),
        "users": len(set(table.user_id.tolist())),
        "candidates": num_candidates,
        "metrics": overall,
        "slices": {
            name: table.relevance(rank, mask)
            for name, mask in report.slice_masks(table, item_count).items()
        },
        "baselines": baselines,
    }
    _write_predictions(table, top, os.path.join(output_dir, PREDICTIONS_FILE))
    path = os.path.join(output_dir, REPORT_FILE)
    with tf.io.gfile.GFile(path + ".part", "w") as file:
        file.write(json.dumps(content, indent=1, sort_keys=True))
    tf.io.gfile.rename(path + ".part", path, overwrite=True)
    return content


def _is_same_model(uri: str, model: served_model.ServedModel) -> bool:
    """Returns whether the artifact is the model itself, perhaps built once more."""
    manifest = served_model.read_manifest(path_utils.serving_model_path(uri))
    return bool(manifest.get("model_id") == model.manifest["model_id"])


def served_lists(
    model: served_model.ServedModel,
    targets: list[held_out.Target],
    cutoffs: tuple[int, ...],
    batch_size: int,
) -> np.ndarray:
    """Returns the served list of each target.

    Returns:
      [len(targets), length] object (bytes), length at least `report.LIST_LENGTH`.
    """
    length = max(report.LIST_LENGTH, *cutoffs)
    lists = []
    for start in range(0, len(targets), batch_size):
        batch = targets[start : start + batch_size]
        item_id, _ = model.recommend(*held_out.request_arrays(batch), k=length)
        lists.append(item_id)
        progress.report(min(start + batch_size, len(targets)), len(targets), "requests")
    return np.concatenate(lists)


def _index_recall(
    model_uri: str,
    targets: list[held_out.Target],
    top: np.ndarray,
    table: report.TargetTable,
    batch_size: int,
) -> report.Metrics:
    """Returns `index_recall@K` of the index against the exact twin beside it."""
    exact = served_model.ServedModel(os.path.join(model_uri, served_model.EXACT_TWIN))
    rng = np.random.default_rng(0)
    size = min(len(targets), _INDEX_RECALL_REQUESTS)
    chosen = np.sort(rng.choice(len(targets), size, replace=False))
    lists = served_lists(exact, [targets[i] for i in chosen], table.cutoffs, batch_size)
    result: report.Metrics = {}
    mask = np.zeros(len(table), bool)
    mask[chosen] = True
    for k in table.cutoffs:
        share = np.zeros(len(table))
        share[chosen] = metrics.overlap(top[chosen], lists, k)
        result[f"index_recall@{k}"] = table.draws.mean(share, mask).to_dict()
    return result


def _write_predictions(table: report.TargetTable, top: np.ndarray, path: str) -> None:
    lists = [
        [item.decode() for item in row[: report.LIST_LENGTH] if item] for row in top
    ]
    columns = pa.table(
        {
            "user_id": pa.array([user.decode() for user in table.user_id]),
            "target_item_id": pa.array([item.decode() for item in table.item_id]),
            "target_polarity": pa.array(table.polarity.tolist()),
            "top_item_ids": pa.array(lists, pa.list_(pa.string())),
        }
    )
    # Arrow closes what it writes to, which a GFile does not survive.
    buffer = io.BytesIO()
    pq.write_table(columns, pa.PythonFile(buffer))
    with tf.io.gfile.GFile(path + ".part", "wb") as file:
        file.write(buffer.getvalue())
    tf.io.gfile.rename(path + ".part", path, overwrite=True)
