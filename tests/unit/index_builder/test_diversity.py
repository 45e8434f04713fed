"""The signature `diverse`: at most so many of a creator or category."""

import numpy as np
import pytest
import tensorflow as tf

from components.index_builder import endpoint
from serving.bundle import catalog
from tests.unit.index_builder import towers_by_hand

NUM_ITEMS, DIM = 400, 4
NAMES = [f"n{i}" for i in range(NUM_ITEMS)]


def random_catalogue(seed):
    """Few creators own most; the last items have neither creator nor category."""
    rng = np.random.default_rng(seed)
    items = {}
    for number, name in enumerate(NAMES):
        bare = number >= NUM_ITEMS - 5
        size = 0 if bare else rng.integers(1, 4)
        items[name.encode()] = catalog.Item(
            creator_id=b"" if bare else b"creator%d" % (rng.geometric(0.3)),
            categories=tuple(
                b"category%d" % c for c in rng.choice(6, size, replace=False)
            ),
        )
    return items


def greedy(score, items, gone, most_of_creator, most_of_category, k):
    """From the best on, each that keeps both limits; plain Python."""
    creators, categories, taken = {}, {}, []
    for number in np.argsort(-score, kind="stable"):
        item = items[NAMES[number].encode()]
        if NAMES[number] in gone:
            continue
        is_full = creators.get(item.creator_id, 0) >= most_of_creator > 0
        if item.creator_id and is_full:
            continue
        if most_of_category and any(
            categories.get(c, 0) >= most_of_category for c in item.categories
        ):
            continue
        creators[item.creator_id] = creators.get(item.creator_id, 0) + 1
        for category in item.categories:
            categories[category] = categories.get(category, 0) + 1
        taken.append(NAMES[number])
        if len(taken) == k:
            break
    return taken


def ask(served, history, exclude, k, control, of_creator, of_category):
    width = max(map(len, history))
    padded = [[*row, *[""] * (width - len(row))] for row in history]
    answer = served.recommend_diverse(
        tf.constant(padded),
        tf.fill((len(history), width), "view"),
        tf.zeros((len(history), width), tf.int64),
        tf.fill((len(history), width), float("nan")),
        tf.reshape(tf.constant(exclude, tf.string), (len(history), -1)),
        tf.constant(k, tf.int32),
        tf.constant(control, tf.float32),
        tf.constant(of_creator, tf.int32),
        tf.constant(of_category, tf.int32),
    )
    return [[i.decode() for i in row] for row in answer["item_id"].numpy()], (
        answer["score"].numpy()
    )


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(3)
    towers = towers_by_hand.Towers(NAMES, rng.normal(size=(NUM_ITEMS, DIM)))
    items = random_catalogue(5)
    return towers, items, endpoint.RetrievalEndpoint(towers, None, items=items)


LIMITS = [(0, 0), (1, 0), (2, 0), (0, 1), (0, 3), (2, 5), (1, 1), (50, 50)]


def test_a_batch_with_different_limits_equals_plain_python(world):
    towers, items, served = world
    history = [[NAMES[n], NAMES[n + 7]] for n in range(len(LIMITS))]
    k = [20, 5, 20, 20, 10, 20, 20, 1]
    of_creator, of_category = zip(*LIMITS, strict=True)

    found, score = ask(
        served,
        history,
        [["n30"]] * len(LIMITS),
        k,
        [float("nan")] * len(LIMITS),
        of_creator,
        of_category,
    )

    shortened = 0
    for row, (met, (creator, category)) in enumerate(zip(history, LIMITS, strict=True)):
        scores = towers.array @ towers.array[[NAMES.index(m) for m in met]].sum(axis=0)
        expected = greedy(scores, items, {*met, "n30"}, creator, category, k[row])
        shortened += len(expected) < k[row]
        assert found[row] == [*expected, *[""] * (20 - len(expected))]
        np.testing.assert_allclose(
            score[row, : len(expected)],
            [scores[NAMES.index(name)] for name in expected],
            rtol=1e-5,
        )
        assert np.isneginf(score[row, len(expected) :]).all()
    # One item of each category: the catalogue has no twenty of them.
    assert shortened == 2


def test_no_limit_is_the_default_answer(world):
    _, _, served = world
    found, score = ask(served, [["n1"]], [["n2"]], [30], [1.0], [0], [0])
    plain = served.recommend(
        tf.constant([["n1"]]),
        tf.constant([["view"]]),
        tf.zeros((1, 1), tf.int64),
        tf.fill((1, 1), float("nan")),
        tf.constant([["n2"]]),
        tf.constant([30]),
    )
    assert found == [[item.decode() for item in plain["item_id"].numpy()[0]]]
    np.testing.assert_allclose(score, plain["score"].numpy(), rtol=1e-6)
