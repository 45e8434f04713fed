"""The avoidance path against a loop over elements."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import avoidance

RNG = np.random.default_rng(8)
ITEM = RNG.normal(size=(2, 5, 4)).astype(np.float32)
STRENGTH = np.array([[1.0, 0, 0.1, 0, 2.0], [0, 0.5, 9.0, 0, 0]], np.float32)
IS_ELEMENT = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)


def layer(decay):
    made = avoidance.Avoidance(decay, seed=3)
    made((ITEM, STRENGTH, IS_ELEMENT))
    for variable in made.trainable_variables:
        variable.assign(RNG.normal(size=variable.shape))
    return made


@pytest.mark.parametrize("decay", [0.0, 0.3, 1.0])
def test_each_dislike_fades_by_the_elements_after_it(decay):
    path = layer(decay)
    hidden, output, direct = (w.numpy().astype(np.float64) for w in path.weights)
    expected = np.zeros((2, 6, 4))
    for window in range(2):
        moved = np.zeros(4)
        for t in range(5):
            # A pad adds nothing and lets nothing fade.
            if IS_ELEMENT[window, t]:
                item = ITEM[window, t]
                away = np.tanh(item @ hidden) @ output + item @ direct
                moved = decay * moved + STRENGTH[window, t] * away
            expected[window, t + 1] = moved

    found = path((ITEM, STRENGTH, IS_ELEMENT)).numpy()

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_unknown_items_take_nothing_away():
    """Their embedding is zero, whatever the weights are."""
    item = np.zeros_like(ITEM)

    np.testing.assert_array_equal(layer(0.5)((item, STRENGTH, IS_ELEMENT)), 0.0)


def test_labels_are_felt_while_a_fifth_of_a_dislike_is_left():
    """.5 decay: 1, .5, .25 and then .125; ten skips of a tenth would do as well."""
    strength = np.array([[0, 1.0, 0, 0, 0, 0]], np.float32)

    felt = layer(0.5).is_felt(strength, np.ones((1, 6), bool))

    assert felt.numpy().tolist() == [[False, False, True, True, True, False]]


def test_gradient_is_finite_where_nothing_is_disliked():
    path, nothing = layer(0.5), np.zeros_like(STRENGTH)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(path((ITEM, nothing, IS_ELEMENT)) ** 2)

    for gradient in tape.gradient(loss, path.trainable_variables):
        np.testing.assert_array_equal(gradient, 0.0)
