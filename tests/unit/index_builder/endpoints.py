"""Endpoints over towers given by hand, how they are asked, and what numpy answers."""

import numpy as np
import tensorflow as tf

from components.index_builder import endpoint, scann_index

NAN = float("nan")

ITEMS = ["a", "b", "c", "d", "e"]
# Against a history of "a" alone the scores are 10, 3, 2, 1 and 4.
EMBEDDING = [[10.0, 0.0], [3.0, 1.0], [2.0, 2.0], [1.0, 4.0], [4.0, 8.0]]
UNIT = [[1.0, 0.0], *EMBEDDING[1:]]

NUM_ITEMS, DIM = 1_000, 8
NAMES = [f"n{i}" for i in range(NUM_ITEMS)]
"""Of the catalogue that is large enough for an index."""


def recommend(served, histories, k, exclude=None, action=None):
    width = max(map(len, histories), default=0)

    def strings(rows, columns, fill=""):
        padded = [[*row, *[fill] * (columns - len(row))] for row in rows]
        return tf.reshape(tf.constant(padded, tf.string), (len(rows), columns))

    exclude = exclude or [[] for _ in histories]
    answer = served.recommend(
        strings(histories, width),
        strings(action or [["view"] * len(row) for row in histories], width),
        tf.zeros((len(histories), width), tf.int64),
        tf.fill((len(histories), width), NAN),
        strings(exclude, max(map(len, exclude), default=0)),
        tf.constant(k, tf.int32),
    )
    return (
        [[item.decode() for item in row] for row in answer["item_id"].numpy()],
        answer["score"].numpy().tolist(),
    )


def filtered(served, histories, k, category, creator, exclude=None):
    def strings(rows):
        columns = max(map(len, rows), default=0)
        padded = [[*row, *[""] * (columns - len(row))] for row in rows]
        return tf.reshape(tf.constant(padded, tf.string), (len(rows), columns))

    history = strings(histories)
    answer = served.recommend_filtered(
        history,
        tf.fill(tf.shape(history), "view"),
        tf.zeros(tf.shape(history), tf.int64),
        tf.fill(tf.shape(history), NAN),
        strings(exclude or [[] for _ in histories]),
        tf.constant(k, tf.int32),
        strings(category),
        strings(creator),
    )
    return (
        [[item.decode() for item in row] for row in answer["item_id"].numpy()],
        answer["score"].numpy().tolist(),
    )


def approximate(towers, leaves_searched, num_reordered):
    layer = scann_index.TunableScann(towers.array, scann_index.IndexShape(20))
    layer.effort = scann_index.SearchEffort(leaves_searched, num_reordered)
    return endpoint.RetrievalEndpoint(towers, layer)


def by_numpy(towers, history, exclude, k):
    met = [NAMES.index(item) for item in history]
    score = towers.array @ towers.array[met].sum(axis=0)
    gone = {*history, *exclude}
    order = [NAMES[i] for i in np.argsort(-score) if NAMES[i] not in gone]
    return order[:k]
