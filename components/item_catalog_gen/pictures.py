"""Addresses of pictures: what a page cannot load is dropped, and the item stays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import casting
from schema import features, image_urls

_NO_TEXT = b""


def of_texts(text: pa.Array, is_bad: NDArray[np.bool_]) -> pa.Array:
    """Returns a column's addresses as bytes, "" for what is no text.

    Args:
      text: [rows] string, null where there is none or where it is bad.
      is_bad: [rows] bool, not representable as text.
    """
    return compute.if_else(pa.array(is_bad), _NO_TEXT, text.cast(pa.binary()))


def keep_loadable(items: pa.Table) -> tuple[pa.Table, int]:
    """Returns items without the addresses that are none, and how many those are.

    Args:
      items: canonical items (`mapping.SCHEMA`).
    """
    lists = casting.single_array(items[features.IMAGE_URL])
    encoded = lists.flatten().dictionary_encode()
    good = [
        image_urls.origin(address.decode()) is not None
        for address in encoded.dictionary.to_pylist()
    ]
    kept = np.array([*good, False], bool)[np.asarray(encoded.indices)]
    row = np.asarray(compute.list_parent_indices(lists))[kept]
    values = lists.flatten().filter(pa.array(kept))
    offsets = np.searchsorted(row, np.arange(items.num_rows + 1)).astype(np.int32)
    column = items.column_names.index(features.IMAGE_URL)
    addresses = pa.ListArray.from_arrays(pa.array(offsets), values)
    only = items.set_column(column, features.IMAGE_URL, addresses)
    return only, int((~kept).sum())
