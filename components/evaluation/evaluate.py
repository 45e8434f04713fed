"""Asks the served model for every held-out target, and measures what it answers."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components import bootstrap, held_out, progress
from components.evaluation import (
    baselines,
    horizon,
    item_index,
    list_metrics,
    metrics,
    predictions,
    slices,
    targets,
)
from components.evaluation import config as evaluation_config
from schema import errors, features, reports, settings
from serving.bundle import catalog, manifest, saved_model

_INDEX_RECALL_REQUESTS = 2_000
_SCORES_AT_ONCE = 2**26


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What is evaluated, and on what."""

    test_files: Sequence[str]
    """Raw event examples whose labels are the targets."""
    train_files: Sequence[str]
    """Raw event examples that the baselines learn from."""
    item_count: Mapping[bytes, int]
    """Training labels of each item."""
    model_dir: str
    """The served model."""
    exact_dir: str
    """Its twin with exact search."""
    predecessor_dir: str | None = None
    """The model that was blessed last, perhaps this one; None: there is none."""


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """What an evaluation found."""

    report: reports.Evaluation
    predictions: pa.Table
    """See `predictions.of_lists`."""


def evaluate(inputs: Inputs, config: evaluation_config.EvaluationConfig) -> Evaluated:
    """Evaluates a served model on the held-out targets.

    Args:
      inputs: the model and the examples.
      config: Evaluation's part of the configuration.

    Raises:
      InputError: there is no target.
    """
    evaluation = config.evaluation
    model = saved_model.load_exported(inputs.model_dir)
    known = catalog.read(model.directory)
    kept, num_withdrawn, new_users = _targets(inputs.test_files, known, evaluation)
    index = item_index.ItemIndex(
        itertools.chain(known, inputs.item_count, (t.item_id for t in kept))
    )
    table = targets.TargetTable(kept, index, config.feedback, evaluation)
    followed = horizon.HorizonTable(kept, index, config.feedback, evaluation)
    items = [known.get(item, catalog.Item()) for item in index.item_id]
    count = index.counts(inputs.item_count)
    top = served_lists(model, table, evaluation.batch_size)
    rank = metrics.target_rank(top, table.item)
    masks = slices.masks(table, count, items, new_users, evaluation)
    num_candidates = model.manifest["num_candidates"]
    model_id = model.manifest["model_id"]
    is_lost = np.array([known.get(t.item_id, catalog.Item()).is_lost for t in kept])
    compared = {
        name: reports.Baseline(
            metrics=table.relevance(other), differences=table.difference(rank, other)
        )
        for name, other in _ranks_without_a_model(inputs, table, count, config, is_lost)
    }
    before = inputs.predecessor_dir
    # The model itself, perhaps built once more, is no baseline.
    if before is not None and manifest.model_id(before) != model_id:
        compared[reports.LAST_BLESSED] = _last_blessed(
            before, table, rank, masks, evaluation.batch_size
        )
    report = reports.Evaluation(
        model_id=model_id,
        model_digest=model.digest,
        split=features.TEST,
        # The gate believes no report on other examples than its own.
        examples_uri=os.path.dirname(os.path.dirname(inputs.test_files[0])),
        targets=len(table),
        targets_withdrawn=num_withdrawn,
        targets_lost=int(is_lost.sum()),
        items_lost=sum(item.is_lost for item in known.values()),
        users=len(set(table.user_id.tolist())),
        candidates=num_candidates,
        metrics={
            **table.relevance(rank),
            **followed.relevance(top, table.cutoffs),
            **_of_lists(table, top, items, count, num_candidates, evaluation.seed),
            **_index_recall(inputs.exact_dir, table, top, evaluation.batch_size),
        },
        slices={name: table.relevance(rank, mask) for name, mask in masks.items()},
        baselines=compared,
    )
    hashes = config.evaluation.hash_user_ids
    return Evaluated(report, predictions.of_lists(table, top, hashes))


def _targets(
    test_files: Sequence[str],
    items: Mapping[bytes, catalog.Item],
    evaluation: settings.EvaluationSettings,
) -> tuple[list[held_out.Target], int, set[bytes]]:
    """Returns the targets, how many are left out, and the users new in the split.

    What the catalogue has withdrawn cannot be served, by decision: no target. What a
    newer catalogue merely lacks stays one, or recall would rise with what is lost.
    """
    new_users: set[bytes] = set()
    windows = _noting_new_users(held_out.read_windows(test_files), new_users)
    found = held_out.targets(windows, evaluation.max_targets, evaluation.seed)
    of_target = [(t, items.get(t.item_id, catalog.Item())) for t in found]
    kept = [t for t, item in of_target if not item.is_withdrawn or item.is_lost]
    if not kept:
        raise errors.InputError(
            "the test split holds no interaction to evaluate on"
            + (": all its items are withdrawn" if found else "")
            + "; check `data.split` and its cuts against the log's time range"
        )
    return kept, len(found) - len(kept), new_users


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


def served_lists(
    model: saved_model.RetrievalModel,
    table: targets.TargetTable,
    batch_size: int,
    chosen: NDArray[np.int64] | None = None,
) -> NDArray[np.int32]:
    """Returns the served list of each target.

    Args:
      model: answers.
      table: the targets.
      batch_size: requests at once.
      chosen: [n] rows of the table; absent: all.

    Returns:
      [n, table.list_length] items, -1 pads.
    """
    rows = range(len(table)) if chosen is None else chosen.tolist()
    lists = []
    for start in range(0, len(rows), batch_size):
        batch = [table.targets[row] for row in rows[start : start + batch_size]]
        item_id, _ = model.recommend(
            *held_out.request_arrays(batch), k=table.list_length
        )
        lists.append(table.index.encode(item_id))
        progress.report(min(start + batch_size, len(rows)), len(rows), "requests")
    return np.concatenate(lists)


def _of_lists(
    table: targets.TargetTable,
    top: NDArray[np.int32],
    items: Sequence[catalog.Item],
    count: NDArray[np.int64],
    num_candidates: int,
    seed: int,
) -> reports.Metrics:
    """Returns the popularity, diversity and coverage of the served lists."""
    means = list_metrics.of_lists(
        top,
        table.history,
        list_metrics.popularity_quantile(count),
        list_metrics.category_table([item.categories for item in items]),
        table.cutoffs,
    )
    coverage = {
        f"coverage@{k}": list_metrics.coverage(top, k, num_candidates, seed)
        for k in table.cutoffs
    }
    return {**table.draws.means(means), **coverage}


def _index_recall(
    exact_dir: str, table: targets.TargetTable, top: NDArray[np.int32], batch_size: int
) -> reports.Metrics:
    """Returns `index_recall@K` of the index against its exact twin."""
    exact = saved_model.load_exported(exact_dir)
    rng = np.random.default_rng(0)
    size = min(len(table), _INDEX_RECALL_REQUESTS)
    chosen = np.sort(rng.choice(len(table), size, replace=False))
    # Exact search holds the scores of all candidates for each request of a batch.
    fitting = max(1, _SCORES_AT_ONCE // max(1, exact.manifest["num_candidates"]))
    lists = served_lists(exact, table, min(batch_size, fitting), chosen)
    mask = np.zeros(len(table), bool)
    mask[chosen] = True
    wanted = {}
    for k in table.cutoffs:
        share = np.zeros(len(table))
        share[chosen] = metrics.overlap(top[chosen], lists, k)
        wanted[f"index_recall@{k}"] = bootstrap.Mean(share, mask)
    return table.draws.means(wanted)


def _ranks_without_a_model(
    inputs: Inputs,
    table: targets.TargetTable,
    count: NDArray[np.int64],
    config: evaluation_config.EvaluationConfig,
    is_lost: NDArray[np.bool_],
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yields where each baseline that needs no model ranks the targets.

    What nobody can serve any more, a baseline cannot serve either.
    """
    length = table.list_length
    lists = {
        "popularity": baselines.ordered_lists(
            baselines.by_popularity(count), table.history, length
        )
    }
    log = baselines.read_log(
        held_out.read_windows(inputs.train_files),
        table.index,
        config.feedback,
        config.evaluation.baseline_windows,
    )
    if len(log.item):
        lists["most_recent"] = baselines.ordered_lists(
            baselines.by_recency(log, len(table.index)), table.history, length
        )
        lists["item_to_item"] = baselines.item_to_item_lists(
            baselines.neighbours(log, len(table.index)),
            table.history,
            table.history_is_liked,
            length,
        )
    for name, served in lists.items():
        yield name, np.where(is_lost, length, metrics.target_rank(served, table.item))


def _last_blessed(
    model_dir: str,
    table: targets.TargetTable,
    rank: NDArray[np.int64],
    masks: Mapping[str, NDArray[np.bool_]],
    batch_size: int,
) -> reports.Baseline:
    """Returns the last blessed model on the same targets, and what has changed."""
    model = saved_model.load_exported(model_dir)
    other = metrics.target_rank(served_lists(model, table, batch_size), table.item)
    return reports.Baseline(
        model_id=model.manifest.get("model_id"),
        metrics=table.relevance(other),
        differences=table.difference(rank, other),
        slice_differences={
            name: table.difference(rank, other, mask) for name, mask in masks.items()
        },
    )
