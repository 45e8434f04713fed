"""The optimiser: LazyAdam against Adam, and the rate over the steps."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import compiled_model
from schema import settings


def run(optimizer, rows_of_step):
    variable = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
    for step, rows in enumerate(rows_of_step):
        values = tf.fill([len(rows), 3], 0.5 + step)
        gradient = tf.IndexedSlices(values, tf.constant(rows), dense_shape=[4, 3])
        optimizer.apply_gradients([(gradient, variable)])
    return variable.numpy()


def test_equals_adam_when_every_row_is_used():
    steps = [[0, 1, 2, 3]] * 4
    lazy = run(compiled_model.LazyAdam(0.1), steps)
    np.testing.assert_allclose(lazy, run(tf.keras.optimizers.Adam(0.1), steps), 1e-5)


def test_unused_rows_do_not_move():
    start = np.arange(12, dtype=np.float32).reshape(4, 3)
    lazy = run(compiled_model.LazyAdam(0.1), [[1], [1, 3], [1]])
    np.testing.assert_array_equal(lazy[[0, 2]], start[[0, 2]])
    assert np.all(lazy[[1, 3]] < start[[1, 3]])
    # Adam itself would go on moving row 3 by its momentum.
    adam = run(tf.keras.optimizers.Adam(0.1), [[1], [1, 3], [1]])
    assert np.all(adam[3] < lazy[3])


def test_repeated_rows_are_summed():
    twice = run(compiled_model.LazyAdam(0.1), [[2, 2]])
    variable = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
    gradient = tf.IndexedSlices(tf.fill([1, 3], 1.0), tf.constant([2]), [4, 3])
    compiled_model.LazyAdam(0.1).apply_gradients([(gradient, variable)])
    np.testing.assert_allclose(twice, variable.numpy(), 1e-6)


def rate(num_batches, **train):
    return compiled_model.learning_rate(settings.TrainSettings(**train), num_batches)


def test_schedule_rises_then_falls_to_a_hundredth():
    schedule = rate(100, epochs=10, learning_rate=1, learning_rate_schedule="cosine")

    # 1,000 steps: 100 rise, 900 fall by half a cosine.
    assert float(schedule(0)) == 0.0
    assert float(schedule(50)) == pytest.approx(0.5)
    assert float(schedule(100)) == pytest.approx(1.0)
    assert float(schedule(550)) == pytest.approx(0.01 + 0.99 * 0.5)
    assert float(schedule(1_000)) == pytest.approx(0.01)


def test_short_training_has_no_warm_up_and_a_constant_rate_is_one():
    cosine = rate(5, epochs=1, learning_rate=1, learning_rate_schedule="cosine")

    assert float(cosine(0)) == pytest.approx(1.0)
    assert rate(5, learning_rate=0.5, learning_rate_schedule="constant") == 0.5
