"""Distinct values spread over many workers."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa


def unique(parts: Iterable[pa.Array]) -> pa.Array:
    """Returns the distinct values of all parts; parts can be results of this function.

    Example:
      >>> unique([pa.array(["a", "b"]), pa.array(["b"])]).to_pylist()
      ['a', 'b']
    """
    arrays = [part for part in parts if len(part)]
    return pa.concat_arrays(arrays).unique() if arrays else pa.array([], pa.string())
