"""Times Evaluation: `python -m benchmarks.evaluation --output results.json`.

Ten thousand users over a million items: an endpoint with its index and its exact twin
are built around towers whose query is the mean of the history, and the real
`components.evaluation.evaluate.evaluate` runs over them. The towers cost nothing, so
that what is timed is evaluation itself and the search.
"""

from __future__ import annotations

import argparse
import cProfile
import datetime
import json
import os
import pathlib
import platform
import pstats
import resource
import tempfile
import time

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.retrieval import vectors
from components import artifacts
from components.evaluation import config as evaluation_config
from components.evaluation import evaluate
from components.index_builder import build
from components.trainer import input_fn
from schema import features, settings
from serving.bundle import catalog

_HISTORY = 40
_START_MS = 1_700_000_000_000
_ACTIONS = np.array([b"view", b"like|view", b"skip", b"dislike|view"], object)


class Towers(tf.Module):
    """What the Trainer exports, as far as an endpoint asks: without a query tower."""

    def __init__(self, item_id: np.ndarray, embedding: np.ndarray):
        """Keeps the candidates."""
        super().__init__()
        self.lookup = input_fn.row_lookup(item_id)
        self.embedding = tf.Variable(embedding, trainable=False)
        self.user_control = tf.Variable(1.0, trainable=False)
        self._item_id = tf.constant(item_id.tolist(), tf.string)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string),
            tf.TensorSpec([None, None], tf.string),
            tf.TensorSpec([None, None], tf.int64),
            tf.TensorSpec([None, None], tf.float32),
        ]
    )
    def embed_query(self, item_id, action, timestamp, value):
        """Returns ten times the mean embedding of the history."""
        return self._embed(item_id)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string),
            tf.TensorSpec([None, None], tf.string),
            tf.TensorSpec([None, None], tf.int64),
            tf.TensorSpec([None, None], tf.float32),
            tf.TensorSpec([None], tf.float32),
        ]
    )
    def embed_controlled_query(self, item_id, action, timestamp, value, user_control):
        """Returns the same."""
        return self._embed(item_id)

    def _embed(self, item_id):
        row = self.lookup.lookup(item_id)
        known = tf.cast(row >= 0, tf.float32)[..., None]
        item = tf.gather(self.embedding, tf.maximum(row, 0)) * known
        number = tf.maximum(tf.reduce_sum(known, axis=1), 1.0)
        return {"query_embedding": 10.0 * tf.reduce_sum(item, axis=1) / number}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string)])
    def rows(self, item_id):
        """Returns the candidate rows."""
        return self.lookup.lookup(item_id)

    @tf.function(input_signature=[])
    def candidates(self):
        """Returns ids and embeddings."""
        return {"item_id": self._item_id, "embedding": tf.identity(self.embedding)}


def write_windows(path: pathlib.Path, items: np.ndarray, users: int, seed: int) -> str:
    """Writes one window a user; its last element is the label."""
    rng = np.random.default_rng(seed)
    # Popular items come first: a log's long tail.
    row = (len(items) * rng.random((users, _HISTORY)) ** 3).astype(np.int64)
    action = _ACTIONS[rng.choice(4, (users, _HISTORY), p=[0.6, 0.2, 0.15, 0.05])]
    options = tf.io.TFRecordOptions(compression_type="GZIP")

    def ints(values) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def texts(values) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    with tf.io.TFRecordWriter(str(path), options) as writer:
        for user in range(users):
            found = {
                features.USER_ID: texts([b"u%d" % user]),
                features.ITEM_ID: texts(items[row[user]]),
                features.ACTION: texts(action[user]),
                features.TIMESTAMP: ints(_START_MS + 60_000 * np.arange(_HISTORY)),
                features.VALUE: tf.train.Feature(
                    float_list=tf.train.FloatList(value=np.zeros(_HISTORY))
                ),
                features.VALUE_PRESENT: ints(np.zeros(_HISTORY, int)),
                features.IS_LABEL: ints([0] * (_HISTORY - 1) + [1]),
            }
            example = tf.train.Example(features=tf.train.Features(feature=found))
            writer.write(example.SerializeToString())
    return str(path)


def run(users: int, num_items: int, profile: bool) -> dict:
    """Builds the model, evaluates it, and returns what it took."""
    item_id = np.array([b"item%07d" % i for i in range(num_items)], object)
    items = {
        name: catalog.Item(categories=(b"c%d" % (i % 40), b"d%d" % (i % 7)))
        for i, name in enumerate(item_id)
    }
    with tempfile.TemporaryDirectory(prefix="heed-evaluation-") as folder:
        base = pathlib.Path(folder)
        towers = Towers(item_id, vectors.draw("candidate", num_items, seed=1))
        tf.saved_model.save(towers, str(base / "towers"))
        test = write_windows(base / "test.gz", item_id, users, seed=2)
        train = write_windows(base / "train.gz", item_id, users, seed=3)
        begin = time.monotonic()
        manifest = build.build_endpoint(
            str(base / "towers"),
            [test],
            items,
            settings.IndexSettings(),
            {},
            str(base / "model" / "Format-Serving"),
            str(base / "model" / artifacts.EXACT_TWIN),
        )
        build_sec = time.monotonic() - begin
        count = {item_id[i]: num_items // (i + 1) for i in range(num_items // 2)}
        config = evaluation_config.EvaluationConfig.of(settings.HeedConfig())
        profiler = cProfile.Profile()
        wall, cpu = time.monotonic(), time.process_time()
        if profile:
            profiler.enable()
        inputs = evaluate.Inputs(
            test_files=[test],
            train_files=[train],
            item_count=count,
            model_dir=str(base / "model" / "Format-Serving"),
            exact_dir=str(base / "model" / artifacts.EXACT_TWIN),
        )
        report = evaluate.evaluate(inputs, config).report
        if profile:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("cumtime").print_stats(30)
        return {
            "users": report.users,
            "candidates": report.candidates,
            "index": manifest["index"]["kind"],
            "index_recall@10": report.metrics["index_recall@10"].value,
            "build_sec": round(build_sec, 1),
            "evaluation_wall_sec": round(time.monotonic() - wall, 1),
            "evaluation_cpu_sec": round(time.process_time() - cpu, 1),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            * 1024,
        }


def main() -> None:
    """Parses the command line and runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    report = {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        **run(options.users, options.items, options.profile),
    }
    print(json.dumps(report, indent=1))
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
