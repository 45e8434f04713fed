"""Pieces against the whole, which one tape differentiates."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.losses import chunks

NUM_LABELS, NUM_CANDIDATES, DIM = 700, 5, 3


def quadratic(query, label_embedding, candidate, weight):
    """A loss in which every input counts, and none linearly."""
    logits = tf.matmul(query, candidate, transpose_b=True)
    own = tf.reduce_sum(query * label_embedding, axis=1)
    return tf.reduce_sum(weight * (own**2 + tf.reduce_sum(logits**2, axis=1)))


@pytest.fixture
def inputs(rng):
    shapes = [(NUM_LABELS, DIM), (NUM_LABELS, DIM), (NUM_CANDIDATES, DIM), NUM_LABELS]
    return [tf.constant(rng.normal(size=s), tf.float32) for s in shapes]


# 256 labels a piece at least, so that 700 labels are three pieces, or one.
@pytest.mark.parametrize("logits_at_once", [1, 300 * NUM_CANDIDATES, 10**6])
def test_value_and_gradients_are_those_of_the_whole(inputs, logits_at_once):
    *differentiable, weight = inputs
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(differentiable)
        whole = 2.0 * quadratic(*inputs)
        pieces = 2.0 * chunks.sum_in_chunks(
            quadratic, *differentiable, (weight,), logits_at_once
        )

    np.testing.assert_allclose(pieces, whole, rtol=1e-5)
    for tensor in differentiable:
        np.testing.assert_allclose(
            tape.gradient(pieces, tensor),
            tape.gradient(whole, tensor),
            rtol=1e-4,
            atol=1e-3,
        )


def test_nothing_to_sum_is_zero_with_zero_gradients(inputs):
    *differentiable, weight = inputs
    empty = [differentiable[0][:0], differentiable[1][:0], differentiable[2]]
    with tf.GradientTape() as tape:
        tape.watch(empty)
        loss = chunks.sum_in_chunks(quadratic, *empty, (weight[:0],))
    gradient = tape.gradient(loss, empty[2], unconnected_gradients="zero")

    assert loss.numpy() == 0.0
    np.testing.assert_array_equal(gradient, np.zeros((NUM_CANDIDATES, DIM)))


def test_a_function_of_any_number_of_labels(inputs):
    """In a graph the number of pieces is known only when it runs."""
    *_, weight = inputs
    total = tf.function(
        lambda q, e, c, w: chunks.sum_in_chunks(quadratic, q, e, c, (w,), 1),
        autograph=False,
        reduce_retracing=True,
    )
    for size in (1, 256, 257, 700):
        rows = [tensor[:size] for tensor in inputs[:2]]
        expected = quadratic(*rows, inputs[2], weight[:size])
        np.testing.assert_allclose(
            total(*rows, inputs[2], weight[:size]), expected, rtol=1e-5
        )
