"""A served model of any number of items, exported as IndexBuilder does, untrained.

The default towers with random weights, over candidates with the mean and the spectrum
of trained ones (`benchmarks.retrieval.vectors`). What a request costs does not depend
on what the weights have learnt, but on their number and on how candidates are found.

python -m benchmarks.serving.synthetic_model FOLDER NUM_ITEMS
"""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from scipy import sparse

from benchmarks.retrieval import vectors
from components.index_builder import build
from components.trainer import candidates, feedback_signal, input_fn, model, signatures
from components.transform import events
from schema import features, settings
from serving.bundle import catalog

MAX_LENGTH = 100
_USERS, _MET = 2_000, 50
"""Of the log that the avoidance path is fitted to."""
FEEDBACK = settings.FeedbackSettings()


def item_id(number: int) -> bytes:
    """Returns the id of an item."""
    return b"item-%d" % number


class _EventFeatures(tf.Module):
    """What the graph of Transform computes of a request; there is no log to analyse."""

    def transform_features_layer(self) -> _EventFeatures:
        """Returns itself, as TFTransformOutput returns its layer."""
        return self

    def __call__(self, raw: dict[str, tf.SparseTensor]) -> dict[str, tf.SparseTensor]:
        item = raw[features.ITEM_ID]
        actions = events.action_set(raw[features.ACTION].values, FEEDBACK.names())
        bits = sum(
            1 << bit
            for bit, name in enumerate(FEEDBACK.names())
            if name in FEEDBACK.negative_names()
        )
        kept = tf.bitwise.bitwise_and(actions, bits) == 0
        time_ms, row = raw[features.TIMESTAMP].values, item.indices[:, 0]
        return {
            features.ITEM_ID: item,
            features.ACTION_SET: item.with_values(actions),
            features.VALUE: raw[features.VALUE],
            features.VALUE_PRESENT: raw[features.VALUE_PRESENT],
            features.LOG_GAP: item.with_values(events.log_gap(time_ms, row)),
            features.KEPT_LOG_GAP: item.with_values(events.log_gap(time_ms, row, kept)),
            features.IS_LABEL: raw[features.IS_LABEL],
        }


def _towers(num_items: int) -> signatures.Towers:
    rng = np.random.default_rng(1)
    num_creators = num_items // 20 + 1
    table = candidates.CandidateTable(
        item_id=np.array([item_id(n) for n in range(num_items)], object),
        num_trained=num_items,
        count=np.sort(rng.zipf(1.5, num_items).clip(1, 100_000))[::-1].astype(np.int64),
        creator_index=rng.integers(0, num_creators, num_items, np.int32),
        category_index=rng.integers(0, 30, (num_items, 3), np.int32),
        attribute_index=np.zeros((num_items, 1), np.int32),
        title_token=rng.integers(1, 2**31, (num_items, 4)),
        sizes=candidates.Sizes(num_creators, 30, 1),
    )
    two_tower = model.TwoTowerModel(
        table=table,
        signal=feedback_signal.FeedbackSignal(
            FEEDBACK, "feature_and_label", "view", 1.0
        ),
        model=settings.ModelSettings(),
        train=settings.TrainSettings(),
        max_length=MAX_LENGTH,
    )
    shape = (1, 2)
    ones = tf.ones(shape, tf.float32)
    two_tower.query_embeddings(
        {
            input_fn.CANDIDATE_ROW: tf.zeros(shape, tf.int32),
            input_fn.IS_ELEMENT: tf.ones(shape, tf.bool),
            features.ACTION_SET: tf.ones(shape, tf.int64),
            features.VALUE: ones,
            features.VALUE_PRESENT: ones,
            features.LOG_GAP: ones,
            features.KEPT_LOG_GAP: ones,
            features.IS_LABEL: tf.ones(shape, tf.int64),
        },
        two_tower.candidate_tower(num_items),
    )
    if two_tower.avoidance is not None:
        user = np.repeat(np.arange(_USERS), _MET)
        met = (num_items * rng.random(len(user)) ** 3).astype(np.int64)
        seen = sparse.coo_matrix(
            (np.ones(len(user), np.float32), (met, user)), (num_items, _USERS)
        ).tocsr()
        seen.data[:] = 1.0
        two_tower.avoidance.fit(seen, two_tower.candidate_tower.embed_all().numpy())
    towers = signatures.Towers(two_tower, _EventFeatures(), table, MAX_LENGTH)
    # Random weights are spread evenly, which no index likes; trained ones are not.
    embedding = np.array(towers.candidate_embedding.numpy())
    drawn = vectors.draw("candidate", num_items, seed=1)
    dim = min(drawn.shape[1], embedding.shape[1])
    embedding[:, :dim] = drawn[:, :dim]
    towers.candidate_embedding.assign(embedding)
    return towers


def export(folder: pathlib.Path, num_items: int) -> None:
    """Writes version 1 of the model into a models directory."""
    items = {
        item_id(n): catalog.Item(
            title=b"Title %d" % n,
            creator_id=b"c%d" % (n % (num_items // 20 + 1)),
            categories=(b"g%d" % (n % 30),),
        )
        for n in range(num_items)
    }
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        towers = os.path.join(temporary, "towers")
        signatures.export(_towers(num_items), towers)
        # Without held-out histories the index is tuned on candidates.
        no_queries = os.path.join(temporary, "queries.gz")
        tf.io.TFRecordWriter(no_queries, tf.io.TFRecordOptions("GZIP")).close()
        made = os.path.join(temporary, "1")
        described = build.build_endpoint(
            towers,
            [no_queries],
            items,
            settings.IndexSettings(),
            {
                "config": {
                    "history": {"max_length": MAX_LENGTH},
                    "feedback": FEEDBACK.model_dump(mode="json"),
                }
            },
            made,
            os.path.join(temporary, "exact"),
        )
        print(described["index"])
        os.rename(made, folder / "1")


if __name__ == "__main__":
    export(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
