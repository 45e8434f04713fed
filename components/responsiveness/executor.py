"""Executor of Responsiveness: simulates through the exported model, and reports."""

from __future__ import annotations

import hashlib
import heapq
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import progress
from components.index_builder import held_out, served_model
from components.responsiveness import clusters, effect, simulation
from components.responsiveness import config as simulation_config
from schema import errors, features

REPORT_FILE = "responsiveness.json"
_NUM_EXAMPLES = 5
_EXAMPLE_HISTORY = 8


class Executor(base_executor.BaseExecutor):
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
            `catalog` (raw catalogue examples), `model` (IndexBuilder's).
          output_dict: `responsiveness`.
          exec_properties: `simulation_config`, canonical JSON.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = simulation_config.SimulationConfig.from_json(
            exec_properties["simulation_config"]
        )
        model_uri = artifact_utils.get_single_uri(input_dict["model"])
        model = served_model.ServedModel(path_utils.serving_model_path(model_uri))
        events = artifact_utils.get_split_uri(input_dict["examples"], features.TRAIN)
        content = audit(model, tf.io.gfile.glob(os.path.join(events, "*")), config)
        output_dir = artifact_utils.get_single_uri(output_dict["responsiveness"])
        path = os.path.join(output_dir, REPORT_FILE)
        with tf.io.gfile.GFile(path + ".part", "w") as file:
            file.write(json.dumps(content, indent=1, sort_keys=True))
        tf.io.gfile.rename(path + ".part", path, overwrite=True)
        for key, value in content.items():
            if "." in key:
                logging.info("responsiveness %s: %s", key, value)


def read_catalog(model_dir: str) -> dict[bytes, dict[str, Any]]:
    """Returns the catalogue that was exported with the model, by item id."""
    with tf.io.gfile.GFile(os.path.join(model_dir, served_model.CATALOG_FILE)) as file:
        items = [json.loads(line) for line in file]
    return {item["item_id"].encode(): item for item in items}


def sample_starts(
    windows: Sequence[held_out.Window],
    policy: simulation_config.SimulationConfig,
    rng: np.random.Generator,
) -> list[simulation.Start]:
    """Returns one real history for each simulation, cut at `start_share`.

    Users are drawn without replacement as long as there are enough of them.
    """
    number = policy.responsiveness.simulations
    drawn: list[int] = []
    while len(drawn) < number:
        drawn += rng.permutation(len(windows)).tolist()
    starts = []
    for index in drawn[:number]:
        window = windows[index]
        length = max(1, round(len(window.item_id) * policy.responsiveness.start_share))
        starts.append(
            simulation.Start(
                window.user_id,
                window.item_id[:length],
                window.action[:length],
                window.timestamp[:length],
                window.value[:length],
            )
        )
    return starts


def _one_window_a_user(
    files: Sequence[str], number: int, seed: int
) -> tuple[list[held_out.Window], list[tuple[bytes, bytes]]]:
    """Returns up to `number` users' last windows, and all (user, item) pairs.

    Users are chosen by a hash of their id, so that the choice does not depend on file
    order; memory holds no more than the chosen windows.
    """
    chosen: dict[bytes, held_out.Window] = {}
    heap: list[tuple[int, bytes]] = []
    pairs: list[tuple[bytes, bytes]] = []
    for window in held_out.read_windows(files):
        labels = window.item_id[window.is_label].tolist()
        pairs += [(window.user_id, item) for item in labels]
        user = window.user_id
        if user in chosen:
            if window.timestamp[-1] >= chosen[user].timestamp[-1]:
                chosen[user] = window
            continue
        digest = hashlib.blake2b(user, digest_size=8, salt=seed.to_bytes(8, "little"))
        # The heap's top is the largest key kept: the first to go.
        key = -int.from_bytes(digest.digest(), "little")
        if len(heap) < number:
            heapq.heappush(heap, (key, user))
            chosen[user] = window
        elif key > heap[0][0]:
            _, removed = heapq.heapreplace(heap, (key, user))
            del chosen[removed]
            chosen[user] = window
    return [chosen[user] for user in sorted(chosen)], pairs


def audit(
    model: served_model.ServedModel,
    train_files: Sequence[str],
    config: simulation_config.SimulationConfig,
) -> dict[str, Any]:
    """Simulates, measures every similarity and treatment, and returns the report.

    Raises:
      InputError: the train split is empty, or a user runs out of recommendations.
    """
    policy = config.responsiveness
    windows, pairs = _one_window_a_user(train_files, policy.simulations, policy.seed)
    if not windows:
        raise errors.InputError("the train split holds no history to start from")
    catalog = read_catalog(model.directory)
    similarities: dict[str, clusters.Clusters] = {
        "content": clusters.content_clusters(
            {i: [c.encode() for c in v["categories"]] for i, v in catalog.items()}
        ),
        "creator": clusters.creator_clusters(
            {i: v["creator_id"].encode() for i, v in catalog.items()}
        ),
        "cooccurrence": clusters.cooccurrence_clusters(
            pairs, policy.cooccurrence_clusters, policy.seed
        ),
    }
    known = [a for a in policy.treatment_actions if a in config.feedback.actions]
    content: dict[str, Any] = {
        "model_id": model.manifest["model_id"],
        "simulations": policy.simulations,
        "trajectory_length": policy.trajectory_length,
        "slate_size": policy.slate_size,
        "control_action": policy.control_action,
        "distinct_users": len(windows),
        "examples": [],
    }
    if known:
        rng = np.random.default_rng(policy.seed)
        starts = sample_starts(windows, config, rng)
        measured = policy.model_copy(update={"treatment_actions": tuple(known)})
        outcome = _simulate_in_batches(model, starts, measured, rng)
        content["examples"] = _examples(outcome, catalog, known[0])
    for action in policy.treatment_actions:
        for name, cluster in similarities.items():
            if action not in known:
                result = effect.no_answer(
                    f"the feedback policy has no action {action!r}"
                )
            elif not clusters.compares_anything(cluster):
                result = effect.no_answer(_REASONS[name])
            else:
                result = effect.measure(
                    effect.similar_share(
                        outcome.control, outcome.branch_item_id, cluster
                    ),
                    effect.similar_share(
                        outcome.treatment[action], outcome.branch_item_id, cluster
                    ),
                    policy.bootstrap_samples,
                    policy.confidence,
                    policy.seed,
                )
            content[f"{name}.{action}"] = result.to_dict()
    return content


_REASONS = {
    "content": "no two items of the catalogue have the same categories",
    "creator": "no two items of the catalogue have the same creator",
    "cooccurrence": "too few users or items to cluster what is met together",
}


def _simulate_in_batches(
    model: served_model.ServedModel,
    starts: Sequence[simulation.Start],
    policy: Any,
    rng: np.random.Generator,
) -> simulation.Outcome:
    def recommend(
        item_id: np.ndarray,
        action: np.ndarray,
        timestamp: np.ndarray,
        value: np.ndarray,
        k: int,
    ) -> np.ndarray:
        return model.recommend(item_id, action, timestamp, value, k)[0]

    batches = range(0, len(starts), policy.batch_size)
    total = len(batches) * policy.trajectory_length
    done = 0

    def on_step() -> None:
        nonlocal done
        done += 1
        progress.report(done, total, "simulated steps")

    return simulation.concatenate(
        [
            simulation.simulate(
                recommend, starts[i : i + policy.batch_size], policy, rng, on_step
            )
            for i in batches
        ]
    )


def _examples(
    outcome: simulation.Outcome, catalog: dict[bytes, dict[str, Any]], action: str
) -> list[dict[str, Any]]:
    """Returns a few simulated users with titles, those that changed most first."""

    def described(item: bytes) -> dict[str, Any]:
        entry = catalog.get(item, {})
        return {
            "item_id": item.decode(),
            "title": entry.get("title") or item.decode(),
            "categories": entry.get("categories", []),
            "creator_id": entry.get("creator_id", ""),
        }

    before, after = outcome.control, outcome.treatment[action]
    kept = np.array([len(set(b) & set(a)) for b, a in zip(before, after, strict=True)])
    examples = []
    for row in np.argsort(kept, kind="stable")[:_NUM_EXAMPLES]:
        history = [item for item in outcome.history_item_id[row] if item]
        actions = [a for a in outcome.history_action[row] if a]
        examples.append(
            {
                "action": action,
                "item": described(outcome.branch_item_id[row]),
                "history": [
                    {**described(item), "action": a.decode()}
                    for item, a in zip(
                        history[-_EXAMPLE_HISTORY:],
                        actions[-_EXAMPLE_HISTORY:],
                        strict=True,
                    )
                ],
                "before": [described(item) for item in before[row] if item],
                "after": [described(item) for item in after[row] if item],
            }
        )
    return examples
