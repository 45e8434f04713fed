"""Cuts histories to what the model reads, before they are batched."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.bundle import signature


def keep_newest(inputs: signature.Tensors, max_length: int) -> signature.Tensors:
    """Returns a request with the same answer, and histories of at most `max_length`.

    The model reads the newest elements of a history only; of the older ones it needs
    to know that their items were met. They become exclusions, each item once.

    Args:
      inputs: Checked inputs of a signature with histories; text as bytes.
      max_length: Elements that the model reads, at least 1.

    Returns:
      The same inputs where no history is longer; else new arrays for the histories,
      without gaps, and for `exclude_item_id`.
    """
    item_id = inputs[signature.HISTORY_ITEM_ID]
    if item_id.shape[1] <= max_length:
        return inputs
    is_element = item_id != b""
    # 1 is the newest element of a row.
    age = np.cumsum(is_element[:, ::-1], axis=1)[:, ::-1]
    newest = is_element & (age <= max_length)
    older = is_element & ~newest
    cut = dict(inputs)
    for name in signature.HISTORY_INPUTS:
        cut[name] = _moved_left(inputs[name], newest)
    cut[signature.EXCLUDE_ITEM_ID] = _rows(
        [
            list(dict.fromkeys([*named[named != b""], *met[left_out]]))
            for named, met, left_out in zip(
                inputs[signature.EXCLUDE_ITEM_ID], item_id, older, strict=True
            )
        ]
    )
    return cut


def _moved_left(array: NDArray[Any], chosen: NDArray[np.bool_]) -> NDArray[Any]:
    """Returns each row's chosen values, in order, padded at the end."""
    # No model sees an empty sequence.
    width = max(1, int(chosen.sum(axis=1).max()))
    dtype = "string" if array.dtype == object else array.dtype.name
    moved = np.full((len(array), width), signature.PADDING[dtype], dtype=array.dtype)
    row, _ = np.nonzero(chosen)
    moved[row, np.cumsum(chosen, axis=1)[chosen] - 1] = array[chosen]
    return moved


def _rows(texts: list[list[bytes]]) -> NDArray[np.object_]:
    array = np.full((len(texts), max(map(len, texts))), b"", dtype=object)
    for row, text in enumerate(texts):
        array[row, : len(text)] = text
    return array
