"""Trains Heed: `python -m benchmarks.learning.heed_contender TASK`.

It enters where the pipeline does, at the Trainer's `run_fn`, and recommends from what
the Trainer exports: the query tower from raw strings and the candidates' embeddings,
searched exactly.
"""

from __future__ import annotations

import glob
import json
import os
import pathlib
import sys
import time
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.components.trainer import fn_args_utils

from benchmarks.learning import log as neutral
from benchmarks.learning import task
from components import progress
from components.trainer import config as trainer_config
from components.trainer import run_fn
from pipeline import config as config_lib
from schema import features, settings


def read_meta(job: task.Task) -> dict[str, Any]:
    """Returns what was noted when the log was prepared."""
    return json.loads((pathlib.Path(job.data) / task.META_FILE).read_text())


def resolved_config(job: task.Task, meta: dict[str, Any]) -> settings.HeedConfig:
    """Returns the prepared log's configuration with the task's settings.

    `heed_gru` and `heed_transformer` are the product as it ships. With `_positives`
    they learn from what the peers learn from: every interaction is a positive label.
    """
    values = {
        "model.query_tower": job.contender.split("_")[1],
        "model.embedding_dim": job.embedding_dim,
        "model.hidden_dim": job.hidden_dim,
        "model.num_layers": job.num_layers,
        "model.num_heads": job.num_heads,
        "model.dropout": job.dropout,
        "train.batch_size": job.batch_windows,
        "train.learning_rate": job.learning_rate,
        "train.epochs": job.epochs,
        "train.seed": job.seed,
        "train.early_stopping_epochs": (
            job.patience if job.measure == "accuracy" else 0
        ),
    }
    if job.contender.endswith("_positives"):
        values["model.negative_signal"] = "none"
    own = [f"{key}={value}" for key, value in values.items()]
    overrides = [*meta["overrides"], *own, *job.overrides]
    return config_lib.load(meta["config_name"], overrides).config


class Reports:
    """Times the training by the steps that it reports."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, float, float]] = []

    def __call__(self, done: int, total: int, text: str = "") -> None:
        """Notes steps done, wall clock and CPU time."""
        self._seen.append((done, time.monotonic(), time.process_time()))

    def epochs(self, labels: int, num_epochs: int) -> list[dict[str, float]]:
        """Returns the stretch from the first epoch to the last as one entry of epochs.

        Args:
          labels: positions of an epoch.
          num_epochs: epochs that the whole training has.
        """
        last = self._seen[-1]
        steps = last[0] / num_epochs
        first = next(s for s in self._seen if s[0] >= steps - 1e-9)
        return [
            {
                "labels": (last[0] - first[0]) / steps * labels,
                "wall_sec": last[1] - first[1],
                "cpu_sec": last[2] - first[2],
            }
        ]


def train(job: task.Task) -> tuple[str, str, Reports]:
    """Calls the Trainer's `run_fn` as TFX does.

    Returns:
      The exported model's folder, the training run's folder and the timing. Without
      eval files, as in `speed`, no epoch ends with a validation.
    """
    meta = read_meta(job)
    config = resolved_config(job, meta)
    events, catalog = meta["uris"]["EventTransform"], meta["uris"]["CatalogTransform"]

    def files(split: str) -> list[str]:
        return [f"{events['transformed_examples']}/Split-{split}/*"]

    model_dir = os.path.join(job.output, "model")
    run_dir = os.path.join(job.output, "model_run")
    reports = Reports()
    stop_listening = progress.listen(reports)
    run_fn.run_fn(
        fn_args_utils.FnArgs(
            train_files=files(features.TRAIN),
            eval_files=files(features.EVAL) if job.measure == "accuracy" else [],
            transform_graph_path=events["transform_graph"],
            model_run_dir=run_dir,
            serving_model_dir=model_dir,
            custom_config={
                "config": trainer_config.TrainerConfig.of(config).to_json(),
                "source_digest": "benchmark",
                "catalog_files": (
                    f"{catalog['transformed_examples']}/Split-{features.CATALOG}/*"
                ),
                "catalog_transform_graph": catalog["transform_graph"],
                "checkpoint_root": os.path.join(job.output, "checkpoints"),
                "base_record": "",
            },
        )
    )
    stop_listening()
    return model_dir, run_dir, reports


class ExactSearch:
    """The exported towers, and every candidate of the log scored for each request."""

    def __init__(self, model_dir: str, log: neutral.Log, max_length: int):
        self._model = tf.saved_model.load(model_dir)
        found = self._model.signatures["candidates"]()
        row_of = {item: row for row, item in enumerate(found["item_id"].numpy())}
        row = [row_of.get(item.encode(), -1) for item in log.item_id]
        self._row = np.array(row)
        self._embedding = found["embedding"].numpy()[np.maximum(self._row, 0)]
        self._log = log
        self._max_length = max_length

    def _request(self, target: np.ndarray) -> dict[str, tf.Tensor]:
        log = self._log
        begin = log.user_begin[log.user_of(target)]
        start = np.maximum(begin, target - self._max_length)
        _, element = log.rows(start, target, self._max_length)
        inside = element >= 0
        element = np.maximum(element, 0)
        item_id = log.item_id[log.item[element]]
        return {
            "history_item_id": tf.constant(np.where(inside, item_id, "")),
            "history_action": tf.constant(np.where(inside, log.action[element], "")),
            "history_timestamp": tf.constant(
                np.where(inside, log.timestamp[element], 0)
            ),
            "history_value": tf.constant(
                np.where(inside, log.value[element], np.nan).astype(np.float32)
            ),
        }

    def lists(self, split: int) -> np.ndarray:
        """Returns the [targets, 100] best unseen candidates of a split's targets."""
        target = self._log.targets(split)
        embed = self._model.signatures["serving_default"]
        found = []
        for chosen in np.array_split(target, max(1, len(target) // 256)):
            query = embed(**self._request(chosen))["query_embedding"].numpy()
            scores = query @ self._embedding.T
            # A candidate that neither training nor the catalogue knows comes last.
            scores[:, self._row < 0] = np.finfo(np.float32).min
            found.append(neutral.top_unseen(self._log, chosen, scores))
        return np.concatenate(found)


def run(job: task.Task) -> None:
    """Trains Heed as the task says and writes its result."""
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    log = neutral.load(job.data)
    stopwatch = task.Stopwatch()
    model_dir, run_dir, reports = train(job)
    stopwatch.epochs = reports.epochs(log.num_train_labels, job.epochs)
    history_file = glob.glob(f"{run_dir}/**/training_history.json", recursive=True)[0]
    history = json.loads(pathlib.Path(history_file).read_text())
    if job.measure == "speed":
        task.answer(job, stopwatch, history=history)
        return
    search = ExactSearch(model_dir, log, job.max_length)
    both = {s: search.lists(s) for s in (neutral.EVAL, neutral.TEST)}
    task.answer(job, stopwatch, both, history=history)


if __name__ == "__main__":
    run(task.read(sys.argv[1]))
