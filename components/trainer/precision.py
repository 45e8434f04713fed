"""Matrix products of bfloat16 factors, for the large ones of a training step."""

from __future__ import annotations

import tensorflow as tf


def product(
    a: tf.Tensor, b: tf.Tensor, mixed_precision: bool, **transpose: bool
) -> tf.Tensor:
    """Returns a matrix product, float32.

    In mixed precision the factors are rounded to bfloat16, eight bits, which
    processors made for it multiply twice as fast; what goes in and what follows,
    states, softmax, loss and weights, stays float32, where small differences matter.

    Args:
      a: [m, k] float32.
      b: [k, n] float32.
      mixed_precision: whether factors and result are rounded.
      **transpose: as of `tf.matmul`.
    """
    if not mixed_precision:
        return tf.matmul(a, b, **transpose)
    rounded = tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16)
    return tf.cast(tf.matmul(*rounded, **transpose), tf.float32)
