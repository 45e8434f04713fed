"""The avoidance path against a loop over elements."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.avoidance import codes as avoidance_codes
from components.trainer.avoidance import path as avoidance_path

RNG = np.random.default_rng(8)
ITEM = RNG.normal(size=(2, 5, 4)).astype(np.float32)
STRENGTH = np.array([[1.0, 0, 0.1, 0, 2.0], [0, 0.5, 9.0, 0, 0]], np.float32)
IS_ELEMENT = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)


ROW = np.array([[0, 2, 1, 1, -1], [2, 1, 0, 0, 0]], np.int32)
KEY = np.array([[7, 3], [7, -1], [-1, 4]], np.int32)
"""Creator and category set of three candidates."""


def layer(decay, codes=None, has_network=True):
    made = avoidance_path.Avoidance(decay, 3, codes, has_network)
    made((ITEM, ROW, STRENGTH, IS_ELEMENT))
    for variable in made.trainable_variables:
        variable.assign(RNG.normal(size=variable.shape))
    return made


def faded(away, decay):
    """What is left before each element and after the last, by a loop over elements."""
    expected = np.zeros((2, 6, away.shape[-1]))
    for window in range(2):
        moved = np.zeros(away.shape[-1])
        for t in range(5):
            # A pad adds nothing and lets nothing fade.
            if IS_ELEMENT[window, t]:
                moved = decay * moved + STRENGTH[window, t] * away[window, t]
            expected[window, t + 1] = moved
    return expected


@pytest.mark.parametrize("decay", [0.0, 0.3, 1.0])
def test_each_dislike_fades_by_the_elements_after_it(decay):
    path = layer(decay)
    hidden, output, direct = (w.numpy().astype(np.float64) for w in path.weights)
    away = np.tanh(ITEM @ hidden) @ output + ITEM @ direct

    found = path((ITEM, ROW, STRENGTH, IS_ELEMENT)).numpy()

    np.testing.assert_allclose(found, faded(away, decay), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("has_network", [False, True])
def test_codes_have_dimensions_of_their_own(has_network):
    """A dislike moves along its item's codes, by one strength a kind."""
    codes = avoidance_codes.AvoidanceCodes(KEY, 6)
    path = layer(0.5, codes, has_network)
    (strength,) = codes.trainable_variables
    strength.assign([0.2, 0.3])
    creator = avoidance_codes.codes(tf.constant(KEY[:, 0]), 6, salt=1).numpy()
    category_set = avoidance_codes.codes(tf.constant(KEY[:, 1]), 6, salt=2).numpy()
    # Long in the query, short in a candidate. An unknown item, row -1, has no code.
    away = np.concatenate([-(20.0 * creator + 30.0 * category_set), np.zeros((1, 6))])

    found = path((ITEM, ROW, STRENGTH, IS_ELEMENT)).numpy()

    np.testing.assert_allclose(found[..., 4:], faded(away[ROW], 0.5), atol=1e-4)
    assert np.any(found[..., :4]) == has_network
    scored = path.with_codes(ITEM, ROW).numpy()
    np.testing.assert_array_equal(scored[..., :4], ITEM)
    of_rows = np.concatenate([0.1 * (creator + category_set), np.zeros((1, 6))])[ROW]
    np.testing.assert_allclose(scored[..., 4:], of_rows, atol=1e-6)


def test_unknown_items_take_nothing_away():
    """Their embedding is zero, and they have no row, whatever the weights are."""
    item, row = np.zeros_like(ITEM), np.full_like(ROW, -1)
    path = layer(0.5, avoidance_codes.AvoidanceCodes(KEY, 6))

    np.testing.assert_array_equal(path((item, row, STRENGTH, IS_ELEMENT)), 0.0)


def test_labels_follow_a_dislike_while_a_fifth_of_it_remains():
    """.5 decay: 1, .5, .25 and then .125; ten skips of a tenth would do as well."""
    strength = np.array([[0, 1.0, 0, 0, 0, 0]], np.float32)

    follows = layer(0.5).follows_dislike(strength, np.ones((1, 6), bool))

    assert follows.numpy().tolist() == [[False, False, True, True, True, False]]


def test_gradient_is_finite_where_nothing_is_disliked():
    path = layer(0.5, avoidance_codes.AvoidanceCodes(KEY, 6))
    nothing = np.zeros_like(STRENGTH)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(path((ITEM, ROW, nothing, IS_ELEMENT)) ** 2)

    for gradient in tape.gradient(loss, path.trainable_variables):
        np.testing.assert_array_equal(gradient, 0.0)
