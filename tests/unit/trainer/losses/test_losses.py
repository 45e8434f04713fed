import math

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.losses import losses


def test_values_worked_by_hand():
    # e^2 / (e^2 + 2) = 7.389 / 9.389 = .787
    p = math.exp(2) / (math.exp(2) + 2)
    logits = tf.constant([[2.0, 0.0, 0.0]])
    label = tf.constant([0])

    positive = losses.softmax_loss(logits, label)
    negative = losses.not_to_recommend_loss(logits, label)

    np.testing.assert_allclose(positive, [-math.log(p)], rtol=1e-6)
    np.testing.assert_allclose(negative, [-math.log(1 - p)], rtol=1e-6)
    np.testing.assert_allclose(positive, [0.2395], atol=1e-4)
    np.testing.assert_allclose(negative, [1.5464], atol=1e-4)


def test_set_of_two_among_four_equal_candidates_costs_log_2():
    members = tf.constant([[True, False, True, False]])

    loss = losses.not_to_recommend_set_loss(tf.fill([1, 4], 3.0), members)

    np.testing.assert_allclose(loss, [math.log(2)], rtol=1e-6)


def test_set_loss_is_the_formula_in_float64(rng):
    logits = rng.normal(scale=3.0, size=(40, 9))
    members = rng.random((40, 9)) < 0.4
    members[:, 0], members[:, 1] = True, False  # never empty, never everything
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(1.0 - (probability * members).sum(axis=1))

    loss = losses.not_to_recommend_set_loss(
        tf.constant(logits, tf.float32), tf.constant(members)
    )

    np.testing.assert_allclose(loss, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("member", [True, False], ids=["everything", "nothing"])
def test_set_without_an_inside_or_an_outside_gives_no_loss_and_no_gradient(member):
    logits = tf.constant([[1.0, -2.0, 30.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.not_to_recommend_set_loss(logits, tf.fill([1, 3], member))

    np.testing.assert_array_equal(loss, [0.0])
    np.testing.assert_array_equal(tape.gradient(loss, logits), [[0.0, 0.0, 0.0]])


def test_only_candidate_cannot_be_pushed_away():
    loss = losses.not_to_recommend_loss(tf.constant([[5.0]]), tf.constant([0]))

    np.testing.assert_array_equal(loss, [0.0])


@pytest.mark.parametrize(
    ("disliked_logit", "expected"),
    [
        # 1 - p = 1 / (1 + e^z): the loss is log(1 + e^z).
        (100.0, 100.0),
        (1e4, 1e4),
        (0.0, math.log(2.0)),
        (-20.0, math.exp(-20.0)),
        (-1e4, 0.0),
    ],
)
def test_extreme_logits_keep_the_exact_value_and_gradient(disliked_logit, expected):
    logits = tf.constant([[disliked_logit, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.not_to_recommend_loss(logits, tf.constant([0]))
    p = 0.0 if disliked_logit < -700 else 1.0 / (1.0 + math.exp(-disliked_logit))

    np.testing.assert_allclose(loss, [expected], rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(loss, logits), [[p, -p]], rtol=1e-5)


@pytest.mark.parametrize("level", [-1e4, -1e3, 1e3, 1e4])
def test_level_of_the_logits_does_not_matter(level):
    logits = tf.constant([[level, level, level]])

    loss = losses.not_to_recommend_loss(logits, tf.constant([1]))

    # What float32 can tell at this level.
    spacing = np.spacing(np.float32(abs(level)))
    np.testing.assert_allclose(loss, [math.log(1.5)], atol=spacing)


def test_gradient_step_lowers_the_disliked_logit_and_raises_the_others():
    logits = tf.constant([[1.0, 2.0, -1.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.not_to_recommend_loss(logits, tf.constant([1]))

    step = -tape.gradient(loss, logits).numpy()[0]

    assert step[1] < 0 < min(step[0], step[2])


def test_rows_are_unreduced_and_apart():
    logits = tf.constant([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])

    both = losses.not_to_recommend_loss(logits, tf.constant([0, 2]))

    np.testing.assert_allclose(both, [1.5464, math.log(1.5)], atol=1e-4)
