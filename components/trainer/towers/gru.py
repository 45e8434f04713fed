"""A gated recurrent unit whose backward pass is written out.

Keras's layer, with the same weights and results. There the whole cell runs once a
step, and differentiating the loop keeps every intermediate of every step. Here a
step holds what depends on the state before it and nothing else; the projections of
the inputs, the weights' gradients and all slopes are computed for the whole sequence
at once. Training takes a fifth less time, and tracing, of which a run has many, a
tenth (benchmarks/learning).

Source: Cho et al., EMNLP 2014; the variant that applies the reset gate after the
recurrent product, as cuDNN does.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from components.trainer import precision

# The update gate of a masked position: it is open, and the state stays.
_KEEP_STATE = 1e4

Gradient = Callable[[tf.Tensor], tuple[tf.Tensor, ...]]


def recur(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    bias: tf.Tensor,
    mixed_precision: bool = False,
) -> tf.Tensor:
    """Returns the states of all steps, from a state of zeros.

        z, r = sigmoid(inputs_zr + h U_zr)
        n = tanh(inputs_n + r (h U_n + bias))
        h' = z h + (1 - z) n

    Args:
      inputs: [length, batch, 3 * units] float32, projected, biases of z and r
        included; columns z, r, n.
      kernel: [units, 3 * units] float32 (U).
      bias: [units] float32.
      mixed_precision: whether the kernel's gradient is a product of bfloat16 factors.
        The steps are not: a small product takes no less time when it is rounded.

    Returns:
      [length, batch, units] float32.
    """

    @tf.custom_gradient
    def states(
        inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
    ) -> tuple[tf.Tensor, Gradient]:
        return _states(inputs, kernel, bias, mixed_precision)

    return states(inputs, kernel, bias)


def _states(
    inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, mixed_precision: bool
) -> tuple[tf.Tensor, Gradient]:
    """Returns the states, and what differentiates them."""
    units = kernel.shape[0]
    length = tf.shape(inputs)[0]
    start = tf.zeros([tf.shape(inputs)[1], units])

    def steps(width: int) -> tf.TensorArray:
        return tf.TensorArray(tf.float32, length, element_shape=[None, width])

    def unstacked(tensor: tf.Tensor) -> tf.TensorArray:
        return steps(tensor.shape[-1]).unstack(tensor)

    inputs_zr, inputs_n = tf.split(inputs, [2 * units, units], axis=-1)
    kernel_zr, kernel_n = tf.split(kernel, [2 * units, units], axis=-1)
    given_zr, given_n = unstacked(inputs_zr), unstacked(inputs_n)

    def forward(
        t: tf.Tensor,
        h: tf.Tensor,
        states: tf.TensorArray,
        gates: tf.TensorArray,
        products: tf.TensorArray,
    ) -> tuple[object, ...]:
        zr = tf.sigmoid(tf.matmul(h, kernel_zr) + given_zr.read(t))
        z, r = tf.split(zr, 2, axis=-1)
        product = tf.nn.bias_add(tf.matmul(h, kernel_n), bias)
        n = tf.tanh(given_n.read(t) + r * product)
        # Of a masked position z is 1 and n finite: the state stays to the bit.
        h = z * h + (1.0 - z) * n
        return (
            t + 1,
            h,
            states.write(t, h),
            gates.write(t, zr),
            products.write(t, product),
        )

    _, _, states, gates, products = tf.while_loop(
        lambda t, *_: t < length,
        forward,
        [0, start, steps(units), steps(2 * units), steps(units)],
        parallel_iterations=1,
    )
    state, gate, product = states.stack(), gates.stack(), products.stack()

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        before = tf.concat([start[None], state[:-1]], axis=0)
        z, r = tf.split(gate, 2, axis=-1)
        n = tf.tanh(inputs_n + r * product)
        # Slopes of each gate's pre-activation with respect to the state after it.
        slope_z = (before - n) * z * (1.0 - z)
        slope_n = (1.0 - z) * (1.0 - n * n)
        slope_r = slope_n * product * r * (1.0 - r)
        slopes = tf.concat([slope_z, slope_r, slope_n * r], axis=2)
        of_step, kept, given = unstacked(slopes), unstacked(z), unstacked(upstream)
        # Once, not in every step: a product with a transposed factor takes half longer.
        transposed = tf.transpose(kernel)

        def backward(
            i: tf.Tensor, d_h: tf.Tensor, d_states: tf.TensorArray
        ) -> tuple[object, ...]:
            t = length - 1 - i
            d_h += given.read(t)
            d_product = tf.tile(d_h, [1, 3]) * of_step.read(t)
            d_before = d_h * kept.read(t) + tf.matmul(d_product, transposed)
            return i + 1, d_before, d_states.write(t, d_h)

        _, _, d_states = tf.while_loop(
            lambda i, *_: i < length,
            backward,
            [0, start, steps(units)],
            parallel_iterations=1,
        )
        d_state = d_states.stack()
        d_product = tf.tile(d_state, [1, 1, 3]) * slopes
        d_inputs = tf.concat([d_product[:, :, : 2 * units], d_state * slope_n], axis=2)
        d_kernel = precision.product(
            tf.reshape(before, [-1, units]),
            tf.reshape(d_product, [-1, 3 * units]),
            mixed_precision,
            transpose_a=True,
        )
        d_bias = tf.reduce_sum(d_product[:, :, 2 * units :], axis=[0, 1])
        return d_inputs, d_kernel, d_bias

    return state, gradient


class Gru(tf.keras.layers.Layer):
    """One recurrent layer; a masked position carries the state on."""

    def __init__(self, units: int, seed: int):
        """Takes the size of the state and the seed of the weights."""
        super().__init__()
        self._units = units
        self._seed = seed

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the weights, named and shaped as Keras's."""
        self.kernel = self.add_weight(
            "kernel",
            (input_shape[-1], 3 * self._units),
            initializer=tf.keras.initializers.GlorotUniform(self._seed),
        )
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel",
            (self._units, 3 * self._units),
            initializer=tf.keras.initializers.Orthogonal(seed=self._seed + 1),
        )
        self.bias = self.add_weight("bias", (2, 3 * self._units), initializer="zeros")
        super().build(input_shape)

    def call(
        self, x: tf.Tensor, mask: tf.Tensor, mixed_precision: bool = False
    ) -> tf.Tensor:
        """Returns the states [batch, length, units] float32.

        Args:
          x: [batch, length, width] float32.
          mask: [batch, length] bool.
          mixed_precision: see `precision.product`; of the products that take the whole
            sequence at once.
        """
        units = self._units
        bias = self.bias[0] + tf.pad(self.bias[1, : 2 * units], [[0, units]])
        keep = tf.pad(tf.fill([units], _KEEP_STATE), [[0, 2 * units]])
        sequence = tf.transpose(x, [1, 0, 2])
        flat = tf.reshape(sequence, [-1, self.kernel.shape[0]])
        projected = precision.product(flat, self.kernel, mixed_precision)
        shape = tf.concat([tf.shape(sequence)[:2], [3 * units]], axis=0)
        inputs = tf.reshape(projected, shape) + bias
        inputs = tf.where(tf.transpose(mask)[:, :, None], inputs, keep)
        # A tensor: under a strategy of several workers a variable is not its value.
        kernel = tf.convert_to_tensor(self.recurrent_kernel)
        states = recur(inputs, kernel, self.bias[1, 2 * units :], mixed_precision)
        return tf.transpose(states, [1, 0, 2])
