"""Items as numbers: comparing and counting them must not cost string work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PAD = -1


class ItemIndex:
    """A number for each item that evaluation meets, in the order of their ids."""

    def __init__(self, item_ids: Iterable[bytes]):
        """Numbers the distinct items.

        Args:
          item_ids: of catalogue, training and targets; repeats are fine.
        """
        self.item_id = np.array(sorted({*item_ids} - {b""}), object)
        self._index = pd.Index(self.item_id, dtype=object)

    def __len__(self) -> int:
        return len(self.item_id)

    def encode(self, item_id: NDArray[np.object_]) -> NDArray[np.int32]:
        """Returns the numbers, of the same shape; -1 for pads and unknown ids."""
        if not item_id.size:
            return np.zeros(item_id.shape, np.int32)
        found = self._index.get_indexer(item_id.ravel())
        return np.asarray(found, np.int32).reshape(item_id.shape)

    def counts(self, item_count: Mapping[bytes, int]) -> NDArray[np.int64]:
        """Returns the count of each item, [num_items]; 0 where it has none."""
        return np.array([item_count.get(i, 0) for i in self.item_id], np.int64)
