"""Takes a large request apart, so that others have their turn between its pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serving.bundle import signature, validation


def split(
    inputs: signature.Tensors, rows: int, max_rows: int
) -> list[signature.Tensors]:
    """Returns the request in pieces of at most `max_rows` rows, in order.

    Args:
      inputs: Arrays [rows, ...].
      rows: Their first dimension.
      max_rows: At least 1.
    """
    if rows <= max_rows:
        return [inputs]
    return [
        {name: array[start : start + max_rows] for name, array in inputs.items()}
        for start in range(0, rows, max_rows)
    ]


def join(answers: Sequence[signature.Tensors]) -> signature.Tensors:
    """Returns the answers to the pieces as the one answer to the request.

    A piece's answer is as wide as its own largest `k`; narrower ones are padded, as
    the model itself would pad them.
    """
    if len(answers) == 1:
        return answers[0]
    joined = {}
    for name, first in answers[0].items():
        arrays = [answer[name] for answer in answers]
        inner = tuple(map(max, *(array.shape[1:] for array in arrays)))
        padding = signature.OUTPUT_PADDING.get(validation.dtype_name(first), 0)
        whole = np.full((sum(map(len, arrays)), *inner), padding, dtype=first.dtype)
        start = 0
        for array in arrays:
            stop = start + len(array)
            window = (slice(start, stop), *map(slice, array.shape[1:]))
            whole[window] = array
            start = stop
        joined[name] = whole
    return joined
