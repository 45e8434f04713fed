"""Our GRU against Keras's, which holds the same equations and differentiates them."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.towers import gru

BATCH, LENGTH, WIDTH, UNITS = 3, 7, 5, 4
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 0, 0], [1, 1, 0, 0, 1, 1, 0]])


@pytest.fixture
def layers(rng):
    """Both layers with the same random weights, biases included."""
    keras = tf.keras.layers.GRU(UNITS, return_sequences=True)
    ours = gru.Gru(UNITS, seed=1)
    x = rng.normal(size=(BATCH, LENGTH, WIDTH)).astype(np.float32)
    keras(x)
    ours(x, mask=tf.ones((BATCH, LENGTH), tf.bool))
    weights = [rng.normal(size=w.shape).astype(np.float32) for w in keras.weights]
    keras.set_weights(weights)
    ours.set_weights(weights)
    return ours, keras, tf.constant(x)


def states_and_gradients(layer, x, upstream, **options):
    with tf.GradientTape() as tape:
        tape.watch(x)
        states = layer(x, mask=tf.constant(MASK == 1), **options)
        total = tf.reduce_sum(states * upstream)
    return states, tape.gradient(total, [x, *layer.trainable_variables])


def test_states_and_gradients_are_those_of_keras(layers, rng):
    ours, keras, x = layers
    upstream = rng.normal(size=(BATCH, LENGTH, UNITS)).astype(np.float32)

    states, gradients = states_and_gradients(ours, x, upstream)
    expected, of_keras = states_and_gradients(keras, x, upstream)

    np.testing.assert_allclose(states, expected, atol=1e-6)
    assert [w.shape for w in ours.weights] == [w.shape for w in keras.weights]
    for gradient, other in zip(gradients, of_keras, strict=True):
        assert np.abs(other).max() > 0.01
        np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-5)


def test_mixed_precision_agrees_within_the_rounding_of_its_factors(layers, rng):
    ours, keras, x = layers
    upstream = rng.normal(size=(BATCH, LENGTH, UNITS)).astype(np.float32)

    states, gradients = states_and_gradients(ours, x, upstream, mixed_precision=True)
    expected, of_keras = states_and_gradients(keras, x, upstream)

    assert {states.dtype, *(g.dtype for g in gradients)} == {tf.float32}
    assert 1e-6 < np.abs(states - expected).max() < 0.03
    for gradient, other in zip(gradients, of_keras, strict=True):
        np.testing.assert_allclose(gradient, other, atol=0.03 * np.abs(other).max())


def test_masked_position_keeps_the_state_to_the_bit(layers):
    ours, _, x = layers

    states = ours(x, mask=tf.constant(MASK == 1)).numpy()

    np.testing.assert_array_equal(states[1, 1], states[1, 0])
    np.testing.assert_array_equal(states[1, 4:], np.repeat(states[1, 3:4], 3, axis=0))


def test_a_graph_gives_what_eager_execution_gives(layers):
    ours, _, x = layers
    mask = tf.constant(MASK == 1)

    traced = tf.function(ours.call, autograph=False, reduce_retracing=True)

    np.testing.assert_allclose(traced(x, mask), ours(x, mask), atol=1e-6)
    np.testing.assert_allclose(
        traced(x[:, :3], mask[:, :3]), ours(x, mask)[:, :3], atol=1e-6
    )
