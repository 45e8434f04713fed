import math

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.losses import corpus as corpus_lib
from components.trainer.losses import similar_set

RNG = np.random.default_rng(4)
CANDIDATE = RNG.normal(size=(60, 5)).astype(np.float32)
NUM_LEARNT = 3
"""The rest are as codes are: scored, yet no measure of what is near."""
NO_FEATURES = tf.constant(np.full((60, 2), -1), tf.int32)


def loss(rows, drawn, num_neighbours, log_expected_count=None):
    """The term of disliked `rows` at queries of their own, weight 1 each."""
    query = tf.constant(RNG.normal(size=(len(rows), 5)), tf.float32)
    corpus = corpus_lib.Corpus(
        tf.constant(drawn, tf.int32),
        tf.constant(CANDIDATE[drawn]),
        log_expected_count,
    )
    found = similar_set.loss(
        query,
        tf.constant(CANDIDATE[rows]),
        corpus,
        tf.constant(rows, tf.int32),
        tf.ones(len(rows)),
        NO_FEATURES,
        num_neighbours,
        NUM_LEARNT,
    )
    return float(found), query.numpy().astype(np.float64)


def expected(query, rows, drawn, num_members):
    learnt = CANDIDATE[:, :NUM_LEARNT]
    unit = learnt / np.linalg.norm(learnt, axis=1, keepdims=True)
    total = 0.0
    for state, row in zip(query, rows, strict=True):
        p = np.exp(CANDIDATE[drawn].astype(np.float64) @ state)
        p /= p.sum()
        members = np.argsort(-(unit[drawn] @ unit[row]))[:num_members]
        total -= np.log1p(-p[members].sum())
    return total


def test_neighbours_are_the_nearest_of_all_candidates():
    found, query = loss([3, 40], np.arange(60), 6)

    assert found == pytest.approx(expected(query, [3, 40], np.arange(60), 6), rel=1e-4)


def test_drawn_candidates_give_as_large_a_share():
    """Thirty of sixty drawn: three nearest of them stand for six of all."""
    drawn = RNG.permutation(60)[:30]

    found, query = loss([3, 40], drawn, 6, log_expected_count=tf.zeros(30))

    assert found == pytest.approx(expected(query, [3, 40], drawn, 3), rel=1e-4)


def test_without_features_and_neighbours_nothing_is_similar():
    assert loss([3], np.arange(60), 0)[0] == 0.0
    # All candidates are no set that could be left out.
    assert loss([3], np.arange(60), 60)[0] == 0.0


def test_set_of_two_among_four_equal_candidates_costs_log_2():
    members = tf.constant([[True, False, True, False]])

    loss = similar_set.not_to_recommend_set_loss(tf.fill([1, 4], 3.0), members)

    np.testing.assert_allclose(loss, [math.log(2)], rtol=1e-6)


def test_set_loss_is_the_formula_in_float64(rng):
    logits = rng.normal(scale=3.0, size=(40, 9))
    members = rng.random((40, 9)) < 0.4
    members[:, 0], members[:, 1] = True, False  # never empty, never everything
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(1.0 - (probability * members).sum(axis=1))

    loss = similar_set.not_to_recommend_set_loss(
        tf.constant(logits, tf.float32), tf.constant(members)
    )

    np.testing.assert_allclose(loss, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("member", [True, False], ids=["everything", "nothing"])
def test_set_without_an_inside_or_an_outside_gives_no_loss_and_no_gradient(member):
    logits = tf.constant([[1.0, -2.0, 30.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = similar_set.not_to_recommend_set_loss(logits, tf.fill([1, 3], member))

    np.testing.assert_array_equal(loss, [0.0])
    np.testing.assert_array_equal(tape.gradient(loss, logits), [[0.0, 0.0, 0.0]])
