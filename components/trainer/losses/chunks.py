"""Sums a loss over labels without ever holding the logits of all of them.

The logits of a step, [num_labels, num_candidates], are its largest tensor by far. In
pieces that fit into the cache, each piece's gradient is taken while its logits are
still there: less memory, and a third less time (benchmarks/learning).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

LOGITS_AT_ONCE = 4_000_000
"""16 MB of float32; from 1 to 30 million the time is the same within a tenth."""
_FEWEST_ROWS = 256

PieceLoss = Callable[..., tf.Tensor]
"""(query, label_embedding, candidate, *aligned) of one piece -> scalar."""


def sum_in_chunks(
    piece_loss: PieceLoss,
    query: tf.Tensor,
    label_embedding: tf.Tensor,
    candidate: tf.Tensor,
    aligned: Sequence[tf.Tensor],
    logits_at_once: int = LOGITS_AT_ONCE,
) -> tf.Tensor:
    """Returns the sum of `piece_loss` over pieces of the rows.

    Args:
      piece_loss: differentiable in its first three arguments.
      query: [num_labels, dim] float32.
      label_embedding: [num_labels, dim] float32.
      candidate: [num_candidates, dim] float32, whole in every piece.
      aligned: further [num_labels] tensors, cut like the queries.
      logits_at_once: bounds rows times candidates of one piece.

    Returns:
      [] float32. Its gradient with respect to the three is computed along with it;
      there is no second derivative.
    """
    dim = query.shape[1]

    @tf.custom_gradient
    def total(
        query: tf.Tensor, label_embedding: tf.Tensor, candidate: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, ...]]]:
        num_rows = tf.shape(query)[0]
        size = tf.maximum(_FEWEST_ROWS, logits_at_once // tf.shape(candidate)[0])
        # No row is one empty piece.
        num_pieces = tf.maximum(1, (num_rows + size - 1) // size)

        def step(
            piece: tf.Tensor,
            loss: tf.Tensor,
            d_query: tf.TensorArray,
            d_label: tf.TensorArray,
            d_candidate: tf.Tensor,
        ) -> tuple[object, ...]:
            rows = slice(piece * size, (piece + 1) * size)
            inputs = [query[rows], label_embedding[rows], candidate]
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                value = piece_loss(*inputs, *(tensor[rows] for tensor in aligned))
            of_query, of_label, of_candidate = tape.gradient(
                value, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            return (
                piece + 1,
                loss + value,
                d_query.write(piece, of_query),
                d_label.write(piece, of_label),
                # Of one candidate the graph optimizer takes `+` for a bias, and fails.
                tf.add_n([d_candidate, of_candidate]),
            )

        def rows_array() -> tf.TensorArray:
            return tf.TensorArray(
                tf.float32, num_pieces, infer_shape=False, element_shape=[None, dim]
            )

        _, loss, d_query, d_label, d_candidate = tf.while_loop(
            lambda piece, *_: piece < num_pieces,
            step,
            [0, 0.0, rows_array(), rows_array(), tf.zeros_like(candidate)],
            parallel_iterations=1,
        )
        gradients = (d_query.concat(), d_label.concat(), d_candidate)
        return loss, lambda upstream: tuple(upstream * g for g in gradients)

    return total(query, label_embedding, candidate)
