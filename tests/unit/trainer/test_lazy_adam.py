"""LazyAdam against Adam: equal where all rows are used, still where none are."""

import numpy as np
import tensorflow as tf

from components.trainer import lazy_adam


def run(optimizer, rows_of_step):
    variable = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
    for step, rows in enumerate(rows_of_step):
        values = tf.fill([len(rows), 3], 0.5 + step)
        gradient = tf.IndexedSlices(values, tf.constant(rows), dense_shape=[4, 3])
        optimizer.apply_gradients([(gradient, variable)])
    return variable.numpy()


def test_equals_adam_when_every_row_is_used():
    steps = [[0, 1, 2, 3]] * 4
    lazy = run(lazy_adam.LazyAdam(0.1), steps)
    np.testing.assert_allclose(lazy, run(tf.keras.optimizers.Adam(0.1), steps), 1e-5)


def test_unused_rows_do_not_move():
    start = np.arange(12, dtype=np.float32).reshape(4, 3)
    lazy = run(lazy_adam.LazyAdam(0.1), [[1], [1, 3], [1]])
    np.testing.assert_array_equal(lazy[[0, 2]], start[[0, 2]])
    assert np.all(lazy[[1, 3]] < start[[1, 3]])
    # Adam itself would go on moving row 3 by its momentum.
    adam = run(tf.keras.optimizers.Adam(0.1), [[1], [1, 3], [1]])
    assert np.all(adam[3] < lazy[3])


def test_repeated_rows_are_summed():
    twice = run(lazy_adam.LazyAdam(0.1), [[2, 2]])
    variable = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
    gradient = tf.IndexedSlices(tf.fill([1, 3], 1.0), tf.constant([2]), [4, 3])
    lazy_adam.LazyAdam(0.1).apply_gradients([(gradient, variable)])
    np.testing.assert_allclose(twice, variable.numpy(), 1e-6)
