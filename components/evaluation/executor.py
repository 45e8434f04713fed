"""Executor of Evaluation: calls the exported model and writes the report."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts, bootstrap, held_out, progress
from components.evaluation import baselines as baselines_lib
from components.evaluation import config as evaluation_config
from components.evaluation import (
    horizon,
    item_index,
    list_metrics,
    metrics,
    predictions,
    report,
    slices,
    tfma_files,
)
from components.trainer import catalog_columns
from schema import errors, features
from serving.bundle import catalog, manifest, saved_model

REPORT_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.parquet"
LAST_BLESSED = "last_blessed"
_INDEX_RECALL_REQUESTS = 2_000
_SCORES_AT_ONCE = 2**26


class Executor(base_executor.BaseExecutor):
    """Evaluates the served model on the test split."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `evaluation.json`, `predictions.parquet` and TFMA's files.

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
        test_files, train_files = (
            tf.io.gfile.glob(
                os.path.join(artifact_utils.get_split_uri([examples], split), "*")
            )
            for split in (features.TEST, features.TRAIN)
        )
        model = artifact_utils.get_single_instance(input_dict["model"])
        transform_output = tft.TFTransformOutput(
            artifact_utils.get_single_uri(input_dict["transform_graph"])
        )
        baselines = input_dict.get("baseline_model", [])
        content = evaluate(
            test_files,
            train_files,
            model.uri,
            baselines[0].uri if baselines else None,
            catalog_columns.read_item_counts(transform_output),
            config,
            artifact_utils.get_single_uri(output_dict["evaluation"]),
        )
        logging.info("evaluation: %s", content["metrics"])


def evaluate(
    test_files: list[str],
    train_files: list[str],
    model_uri: str,
    baseline_uri: str | None,
    item_count: dict[bytes, int],
    config: evaluation_config.EvaluationConfig,
    output_dir: str,
) -> dict[str, Any]:
    """Evaluates a model artifact, writes the files, and returns the report.

    Args:
      test_files: raw event examples whose labels are the targets.
      train_files: raw event examples that the baselines learn from.
      model_uri: IndexBuilder's artifact.
      baseline_uri: the last blessed one; None: there is none.
      item_count: training labels of each item.
      config: Evaluation's part of the configuration.
      output_dir: where the files go.

    Raises:
      InputError: there is no target.
    """
    evaluation = config.evaluation
    model = saved_model.load_exported(path_utils.serving_model_path(model_uri))
    catalog_items = catalog.read(model.directory)
    new_users: set[bytes] = set()
    found = held_out.targets(
        _noting_new_users(held_out.read_windows(test_files), new_users),
        evaluation.max_targets,
        evaluation.seed,
    )
    targets = [t for t in found if not _is_withdrawn(t, catalog_items)]
    if not targets:
        raise errors.InputError(
            "the test split holds no interaction to evaluate on"
            + (": all its items are withdrawn" if found else "")
            + "; check `data.split` and its cuts against the log's time range"
        )
    index = item_index.ItemIndex(
        itertools.chain(catalog_items, item_count, (t.item_id for t in targets))
    )
    table = report.TargetTable(targets, index, config.feedback, evaluation)
    count = index.counts(item_count)
    items = [catalog_items.get(item, catalog.Item()) for item in index.item_id]
    top = served_lists(model, targets, index, table.cutoffs, evaluation.batch_size)
    rank = metrics.target_rank(top, table.item)

    num_candidates = model.manifest["num_candidates"]
    horizon_table = horizon.HorizonTable(targets, index, config.feedback, evaluation)
    overall = {
        **table.relevance(rank, np.ones(len(table), bool)),
        **report.to_dict(horizon_table.relevance(top, table.cutoffs)),
        **report.to_dict(
            table.draws.means(
                list_metrics.of_lists(
                    top,
                    table.history,
                    list_metrics.popularity_quantile(count),
                    list_metrics.category_table([item.categories for item in items]),
                    table.cutoffs,
                )
            )
        ),
        **_index_recall(model_uri, targets, top, table, index, evaluation.batch_size),
    }
    for k in table.cutoffs:
        coverage = list_metrics.coverage(top, k, num_candidates, evaluation.seed)
        overall[f"coverage@{k}"] = coverage.model_dump()
    masks = slices.masks(table, count, items, new_users, evaluation)
    others = _unlearnt_baselines(train_files, table, index, count, config, top.shape[1])
    model_ids: dict[str, Any] = {}
    if baseline_uri is not None and not _is_same_model(baseline_uri, model):
        baseline = saved_model.load_exported(
            path_utils.serving_model_path(baseline_uri)
        )
        model_ids[LAST_BLESSED] = {"model_id": baseline.manifest.get("model_id")}
        others[LAST_BLESSED] = served_lists(
            baseline, targets, index, table.cutoffs, evaluation.batch_size
        )
    baselines: dict[str, Any] = {}
    for name, lists in others.items():
        other = metrics.target_rank(lists, table.item)
        baselines[name] = {
            **model_ids.get(name, {}),
            **table.relevance(other, np.ones(len(table), bool)),
            "differences": table.difference(rank, other),
        }
        if name == LAST_BLESSED:
            baselines[name]["slice_differences"] = {
                key: table.difference(rank, other, mask) for key, mask in masks.items()
            }
    content = {
        "model_id": model.manifest["model_id"],
        "split": features.TEST,
        # The gate believes no report on other examples than its own.
        "examples_uri": os.path.dirname(os.path.dirname(test_files[0])),
        "targets": len(table),
        "targets_withdrawn": len(found) - len(targets),
        "users": len(set(table.user_id.tolist())),
        "candidates": num_candidates,
        "metrics": overall,
        "slices": {name: table.relevance(rank, mask) for name, mask in masks.items()},
        "baselines": baselines,
    }
    predictions.write(table, top, index, os.path.join(output_dir, PREDICTIONS_FILE))
    tfma_files.write(overall, content["slices"], model.directory, output_dir)
    path = os.path.join(output_dir, REPORT_FILE)
    with tf.io.gfile.GFile(path + ".part", "w") as file:
        file.write(json.dumps(content, indent=1, sort_keys=True))
    tf.io.gfile.rename(path + ".part", path, overwrite=True)
    return content


def _noting_new_users(
    windows: Iterator[held_out.Window], new_users: set[bytes]
) -> Iterator[held_out.Window]:
    """Yields the windows; adds users of whom nothing came before a held-out label.

    A later window of a user begins with context.
    """
    for window in windows:
        if len(window.is_label) and window.is_label[0]:
            new_users.add(window.user_id)
        yield window


def _is_withdrawn(target: held_out.Target, items: Mapping[bytes, catalog.Item]) -> bool:
    """Returns whether the target could not be served by decision of the catalogue."""
    return target.item_id in items and items[target.item_id].is_withdrawn


def _unlearnt_baselines(
    train_files: list[str],
    table: report.TargetTable,
    index: item_index.ItemIndex,
    count: np.ndarray,
    config: evaluation_config.EvaluationConfig,
    length: int,
) -> dict[str, np.ndarray]:
    """Returns the lists of the baselines without a model, [num_targets, length]."""
    log = baselines_lib.read_log(
        held_out.read_windows(train_files),
        index,
        config.feedback,
        config.evaluation.baseline_windows,
    )
    found = {
        "popularity": baselines_lib.ordered_lists(
            baselines_lib.by_popularity(count), table.history, length
        )
    }
    if len(log.item):
        found["most_recent"] = baselines_lib.ordered_lists(
            baselines_lib.by_recency(log, len(index)), table.history, length
        )
        found["item_to_item"] = baselines_lib.item_to_item_lists(
            baselines_lib.neighbours(log, len(index)),
            table.history,
            table.history_is_liked,
            length,
        )
    return found


def _is_same_model(uri: str, model: saved_model.RetrievalModel) -> bool:
    """Returns whether the artifact is the model itself, perhaps built once more."""
    found = manifest.model_id(path_utils.serving_model_path(uri))
    return bool(found == model.manifest["model_id"])


def served_lists(
    model: saved_model.RetrievalModel,
    targets: list[held_out.Target],
    index: item_index.ItemIndex,
    cutoffs: tuple[int, ...],
    batch_size: int,
) -> np.ndarray:
    """Returns the served list of each target.

    Returns:
      [len(targets), length] int32 items, -1 pads; length at least
      `report.LIST_LENGTH`.
    """
    length = max(report.LIST_LENGTH, *cutoffs)
    lists = []
    for start in range(0, len(targets), batch_size):
        batch = targets[start : start + batch_size]
        item_id, _ = model.recommend(*held_out.request_arrays(batch), k=length)
        lists.append(index.encode(item_id))
        progress.report(min(start + batch_size, len(targets)), len(targets), "requests")
    return np.concatenate(lists)


def _index_recall(
    model_uri: str,
    targets: list[held_out.Target],
    top: np.ndarray,
    table: report.TargetTable,
    index: item_index.ItemIndex,
    batch_size: int,
) -> report.Metrics:
    """Returns `index_recall@K` of the index against the exact twin beside it."""
    exact = saved_model.load_exported(os.path.join(model_uri, artifacts.EXACT_TWIN))
    rng = np.random.default_rng(0)
    size = min(len(targets), _INDEX_RECALL_REQUESTS)
    chosen = np.sort(rng.choice(len(targets), size, replace=False))
    # Exact search holds the scores of all candidates for each request of a batch.
    fitting = max(1, _SCORES_AT_ONCE // max(1, exact.manifest["num_candidates"]))
    lists = served_lists(
        exact,
        [targets[i] for i in chosen],
        index,
        table.cutoffs,
        min(batch_size, fitting),
    )
    mask = np.zeros(len(table), bool)
    mask[chosen] = True
    wanted = {}
    for k in table.cutoffs:
        share = np.zeros(len(table))
        share[chosen] = metrics.overlap(top[chosen], lists, k)
        wanted[f"index_recall@{k}"] = bootstrap.Mean(share, mask)
    return report.to_dict(table.draws.means(wanted))
