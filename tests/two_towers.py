"""Small two-tower models and the batches they take."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from scipy import sparse

from components.trainer import candidates, feedback_signal, input_fn, model
from schema import features, settings

FEEDBACK = settings.FeedbackSettings()
BIT = {"dislike": 1, "like": 2, "skip": 4, "view": 8}
"""The bits of the default policy: its action names, sorted."""

NUM_TRAINED = 6
NUM_CANDIDATES = 8


WINDOWS = [
    [
        (0, "view", 1.0, 0.0),
        (1, "dislike|view", 0.5, 1.0),
        (2, "like", None, 0.5),
        (5, "skip", 0.1, 0.1),
    ],
    [
        (4, "view", 0.3, 0.0),
        (3, "dislike", None, 0.0),
    ],
]
"""Of `make_batch`: a view, a disliked view, a like, a skip; a view, a dislike."""


def make_table():
    """Eight candidates: six trained, i6 new with features, i7 new without.

    Creators: i0 i1 i2 -> 1, i3 -> 2, i6 -> 1. Category sets: i0 i3 {1, 2}, i1 {1},
    i6 {1}, the others none.
    """
    return candidates.build_candidate_table(
        vocabulary=[b"i%d" % i for i in range(NUM_TRAINED)],
        counts={b"i%d" % i: 10 - i for i in range(NUM_TRAINED)},
        catalog_item_id=[b"i0", b"i1", b"i2", b"i3", b"i6", b"i7"],
        catalog_creator=[1, 1, 1, 2, 1, 0],
        catalog_categories=[[1, 2], [1], [], [2, 1], [1], []],
        max_categories=3,
    )


def make_signal(
    arm="feature_and_label",
    feedback=FEEDBACK,
    control_action="view",
    control_value=1.0,
):
    return feedback_signal.FeedbackSignal(feedback, arm, control_action, control_value)


def make_model(
    arm="feature_and_label",
    query_tower="gru",
    max_length=8,
    signal=None,
    table=None,
    num_layers=2,
    dropout=0.0,
    id_dropout=0.0,
    temperature=1.0,
    towers=None,
    **train,
):
    """A model with random weights; its start state and biases are not zero either.

    `towers` holds further settings of the model section, the rest is of training. An
    avoidance path is fitted to a log of thirty users.
    """
    two_tower = model.TwoTowerModel(
        table=make_table() if table is None else table,
        signal=make_signal(arm) if signal is None else signal,
        model=settings.ModelSettings(
            query_tower=query_tower,
            embedding_dim=8,
            hidden_dim=12,
            num_layers=num_layers,
            num_heads=3,
            dropout=dropout,
            id_dropout=id_dropout,
            temperature=temperature,
            negative_signal=arm,
            **{"avoidance_strength": 0.0, **(towers or {})},
        ),
        train=settings.TrainSettings(
            **{
                "dislike_dropout": 0.0,
                "consumption_weight": 0.0,
                "filter_history": False,
                **train,
            }
        ),
        max_length=max_length,
    )
    embeddings(two_tower, make_batch([[(0, "view", 1.0, 0.0)]]))
    rng = np.random.default_rng(7)
    for variable in two_tower.query_tower.trainable_variables:
        noise = rng.normal(scale=0.3, size=variable.shape)
        variable.assign_add(noise.astype(np.float32))
    if two_tower.avoidance is not None:
        met = (rng.random((two_tower.candidate_tower.num_trained, 30)) < 0.3) * 1.0
        embedding = two_tower.candidate_tower.embed_all().numpy()
        two_tower.avoidance.fit(sparse.csr_matrix(met.astype(np.float32)), embedding)
    return two_tower


def action_bits(actions):
    """The bit mask of `a|b`, from the table above."""
    return sum(BIT[name] for name in actions.split("|"))


def make_batch(rows, length=None, is_label=None):
    """The model's inputs from rows of (candidate row, actions, value, log gap).

    Args:
      rows: one list of elements a window; value None: absent.
      length: columns; default: the longest window.
      is_label: [batch][length] of 0 and 1; default: every element is a label.
    """
    width = length or max(len(row) for row in rows)
    shape = (len(rows), width)
    batch = {
        input_fn.CANDIDATE_ROW: np.full(shape, -1, np.int32),
        input_fn.IS_ELEMENT: np.zeros(shape, bool),
        features.ACTION_SET: np.zeros(shape, np.int64),
        features.VALUE: np.zeros(shape, np.float32),
        features.VALUE_PRESENT: np.zeros(shape, np.float32),
        features.LOG_GAP: np.zeros(shape, np.float32),
        features.KEPT_LOG_GAP: np.zeros(shape, np.float32),
        features.IS_LABEL: np.zeros(shape, np.int64),
    }
    for r, row in enumerate(rows):
        for c, (candidate, actions, value, log_gap) in enumerate(row):
            batch[input_fn.CANDIDATE_ROW][r, c] = candidate
            batch[input_fn.IS_ELEMENT][r, c] = True
            batch[features.ACTION_SET][r, c] = action_bits(actions)
            batch[features.VALUE][r, c] = 0.0 if value is None else value
            batch[features.VALUE_PRESENT][r, c] = float(value is not None)
            batch[features.LOG_GAP][r, c] = log_gap
            batch[features.KEPT_LOG_GAP][r, c] = log_gap
            batch[features.IS_LABEL][r, c] = 1 if is_label is None else is_label[r][c]
    return {name: tf.constant(array) for name, array in batch.items()}


def embeddings(two_tower, batch, num_rows=None):
    """The towers' queries of all positions, [batch, length + 1, dim] array."""
    most = min(NUM_CANDIDATES, two_tower.candidate_tower.num_candidates)
    history = two_tower.candidate_tower(num_rows or most)
    return two_tower.query_embeddings(batch, history).numpy()


def served(two_tower, batch, user_control=1.0):
    """The query after the last element as it is served, [batch, dim + width] array."""
    batch_size = len(batch[input_fn.CANDIDATE_ROW])
    tables = two_tower.served_tables()
    control = tf.fill([batch_size], float(user_control))
    return two_tower.served_query(batch, *tables, control).numpy()
