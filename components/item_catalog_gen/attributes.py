"""The declared features of items, each value as the text `name=value`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import casting, refusals
from schema import items, settings

Declared = Mapping[str, settings.ItemFeature]


def source_column(name: str, feature: settings.ItemFeature) -> str:
    """Returns the column that a declared feature is read from."""
    return feature.column or name


def number_class(
    edges: tuple[float, ...], value: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Returns how many edges lie at or below each value, int64.

    Example:
      >>> number_class((10.0, 20.0), np.array([9.0, 10.0, 30.0])).tolist()
      [0, 1, 2]
    """
    return np.searchsorted(np.array(edges), value, side="right")


def of_numbers(
    column: pa.ChunkedArray,
    name: str,
    edges: tuple[float, ...],
    reasons: refusals.Reasons,
) -> pa.ListArray:
    """Returns each row's class of a number as a list of at most one text.

    Args:
      column: raw numbers of any type; not-a-number counts as missing.
      name: of the feature.
      edges: ascending.
      reasons: takes up the refusals of what is no number.
    """
    numbers = casting.floats(column)
    reasons.add(items.BAD_ITEM_FEATURE, numbers.bad)
    absent = numbers.missing | numbers.bad | np.isnan(numbers.values)
    texts = np.array([f"{name}={place}" for place in range(len(edges) + 1)])
    found = texts[number_class(edges, numbers.values)]
    offsets = np.concatenate([[0], np.cumsum(~absent)]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(found[~absent]).cast(pa.binary())
    )


def of_texts(texts: pa.ListArray, name: str) -> pa.ListArray:
    """Returns lists of texts with the feature's name before each."""
    named = compute.binary_join_element_wise(
        pa.scalar(name), texts.flatten().cast(pa.string()), "="
    )
    lengths = np.asarray(texts.value_lengths().fill_null(0))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), named.cast(pa.binary()))


def joined(columns: list[pa.ListArray], num_rows: int) -> pa.ListArray:
    """Returns the lists of several columns, row by row one after the other."""
    empty = pa.array([], pa.binary())
    values = pa.concat_arrays([empty, *(column.flatten() for column in columns)])
    lengths = [np.asarray(column.value_lengths()) for column in columns]
    row = np.concatenate(
        [np.zeros(0, np.int64), *(np.repeat(np.arange(num_rows), n) for n in lengths)]
    )
    order = np.argsort(row, kind="stable")
    offsets = np.searchsorted(row[order], np.arange(num_rows + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(order)))
