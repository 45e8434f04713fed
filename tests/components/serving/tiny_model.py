"""A tiny real SavedModel with the serving signature, and a numpy oracle of it.

Score of item j: base[j] + sum over the history of (+value, or -3 where disliked) for
elements of j's creator + (newest timestamp mod 2). All numbers are small multiples of
1/2, so sums are exact in float32 whatever the batch.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from serving.bundle import integrity

NUM_ITEMS = 20
NUM_CREATORS = 4
ITEM_IDS = [f"i{j}" for j in range(NUM_ITEMS)]
BASE = np.array([((7 * j) % NUM_ITEMS) / 2 for j in range(NUM_ITEMS)], np.float32)
MAX_LENGTH = 50
CONFIG = {
    "history": {"max_length": MAX_LENGTH},
    "control_action": "view",
    "control_value": 1.0,
    "feedback": {
        "actions": {
            "view": {"polarity": "positive", "weight": 0.5},
            "like": {"polarity": "positive", "weight": 1.0},
            "dislike": {"polarity": "negative", "weight": 1.0},
        }
    },
}
"""What the manifest says; the graph itself reads histories of any length."""
CREATOR = np.arange(NUM_ITEMS) % NUM_CREATORS


def expected_slate(history, k, exclude=(), shift=0.0):
    """Returns [(item_id, score)] by plain Python, from (item, action, time, value)."""
    scores = {}
    newest = max((time for _, _, time, _ in history), default=0)
    for j, item_id in enumerate(ITEM_IDS):
        if item_id in exclude:
            continue
        score = float(BASE[j]) + newest % 2 + shift
        for item, action, _, value in history:
            if item in ITEM_IDS and CREATOR[ITEM_IDS.index(item)] == CREATOR[j]:
                disliked = "dislike" in action.split("|")
                score += -3.0 if disliked else (1.0 if value is None else value)
        scores[item_id] = score
    # top_k of TensorFlow breaks ties by position.
    ranked = sorted(scores, key=lambda i: (-scores[i], ITEM_IDS.index(i)))
    return [(item_id, scores[item_id]) for item_id in ranked[:k]]


def expected_similar(items, k, exclude=()):
    """Returns the items of the given ones' creators, by place, as `similar` does."""
    creators = [CREATOR[ITEM_IDS.index(item)] for item in items if item in ITEM_IDS]
    scores = {
        item_id: float(creators.count(CREATOR[j]))
        for j, item_id in enumerate(ITEM_IDS)
        if item_id not in items and item_id not in exclude
    }
    ranked = sorted(scores, key=lambda i: (-scores[i], ITEM_IDS.index(i)))
    return [(item_id, scores[item_id]) for item_id in ranked[:k]]


def save(path: Path, shift: float = 0.0) -> None:
    """Writes the model; `shift` moves all scores, to tell versions apart."""
    import tensorflow as tf

    class Tiny(tf.Module):
        def __init__(self):
            super().__init__()
            self.table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    tf.constant(ITEM_IDS), tf.range(NUM_ITEMS, dtype=tf.int64)
                ),
                default_value=-1,
            )
            self.base = tf.Variable(BASE)

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, None], tf.string, name="history_item_id"),
                tf.TensorSpec([None, None], tf.string, name="history_action"),
                tf.TensorSpec([None, None], tf.int64, name="history_timestamp"),
                tf.TensorSpec([None, None], tf.float32, name="history_value"),
                tf.TensorSpec([None, None], tf.string, name="exclude_item_id"),
                tf.TensorSpec([None], tf.int32, name="k"),
            ]
        )
        def serve(
            self,
            history_item_id,
            history_action,
            history_timestamp,
            history_value,
            exclude_item_id,
            k,
        ):
            index = self.table.lookup(history_item_id)
            creator = tf.where(
                index < 0, tf.constant(-1, tf.int64), index % NUM_CREATORS
            )
            value = tf.where(tf.math.is_nan(history_value), 1.0, history_value)
            disliked = tf.strings.regex_full_match(
                history_action, r"(.*\|)?dislike(\|.*)?"
            )
            weight = tf.where(disliked, -3.0, value)
            of_creator = tf.one_hot(creator, NUM_CREATORS) * weight[..., None]
            affinity = tf.reduce_sum(of_creator, axis=1)
            items = tf.one_hot(tf.range(NUM_ITEMS) % NUM_CREATORS, NUM_CREATORS)
            newest = tf.reduce_max(
                tf.concat(
                    [history_timestamp, tf.zeros_like(k, tf.int64)[:, None]], axis=1
                ),
                axis=1,
            )
            scores = tf.linalg.matmul(affinity, items, transpose_b=True) + self.base
            scores += tf.cast(newest % 2, tf.float32)[:, None] + shift
            excluded = tf.reduce_any(
                exclude_item_id[:, :, None] == tf.constant(ITEM_IDS)[None, None],
                axis=1,
            )
            scores = tf.where(excluded, -np.inf, scores)
            width = tf.reduce_max(k)
            top = tf.math.top_k(scores, tf.minimum(width, NUM_ITEMS))
            short = width - tf.shape(top.values)[1]
            best = tf.pad(top.values, [[0, 0], [0, short]], constant_values=-np.inf)
            names = tf.gather(tf.constant(ITEM_IDS), top.indices)
            names = tf.pad(names, [[0, 0], [0, short]])
            keep = (tf.range(width)[None] < k[:, None]) & (best > -np.inf)
            return {
                "item_id": tf.where(keep, names, ""),
                "score": tf.where(keep, best, -np.inf),
            }

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, None], tf.string, name="item_id"),
                tf.TensorSpec([None, None], tf.string, name="exclude_item_id"),
                tf.TensorSpec([None], tf.int32, name="k"),
            ]
        )
        def similar(self, item_id, exclude_item_id, k):
            index = self.table.lookup(item_id)
            creator = tf.where(
                index < 0, tf.constant(-1, tf.int64), index % NUM_CREATORS
            )
            wanted = tf.reduce_sum(tf.one_hot(creator, NUM_CREATORS), axis=1)
            items = tf.one_hot(tf.range(NUM_ITEMS) % NUM_CREATORS, NUM_CREATORS)
            scores = tf.linalg.matmul(wanted, items, transpose_b=True)
            dropped = tf.concat([item_id, exclude_item_id], axis=1)
            excluded = tf.reduce_any(
                dropped[:, :, None] == tf.constant(ITEM_IDS)[None, None], axis=1
            )
            best = tf.math.top_k(tf.where(excluded, -np.inf, scores), tf.reduce_max(k))
            keep = tf.range(tf.reduce_max(k))[None] < k[:, None]
            return {
                "item_id": tf.where(
                    keep, tf.gather(tf.constant(ITEM_IDS), best.indices), ""
                ),
                "score": tf.where(keep, best.values, -np.inf),
            }

    module = Tiny()
    signatures = {"serving_default": module.serve, "similar": module.similar}
    tf.saved_model.save(module, str(path), signatures=signatures)
    extra = path / "assets.extra"
    extra.mkdir(exist_ok=True)
    with (extra / "catalog.jsonl").open("w") as file:
        for j, item_id in enumerate(ITEM_IDS):
            row = {
                "item_id": item_id,
                "title": f"Title {j}",
                "creator_id": f"c{CREATOR[j]}",
                "categories": ["even" if j % 2 == 0 else "odd"],
            }
            file.write(json.dumps(row) + "\n")
    integrity.write_manifest(str(path), {"config": CONFIG})
