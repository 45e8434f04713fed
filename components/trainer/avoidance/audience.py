"""Who met what in the training log, and how alike the audiences of two items are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from numpy.typing import NDArray
from scipy import sparse

from schema import features

_SHRINKAGE = 5.0
"""Common users of mean weight that must be outdone before a cosine means much."""
_READ = (features.USER_ID, features.ITEM_ID, features.IS_LABEL)


def read(
    files: Sequence[str],
    transform_output: tft.TFTransformOutput,
    lookup: tf.lookup.StaticHashTable,
    num_items: int,
) -> sparse.csr_matrix:
    """Returns who met what, from transformed examples.

    Args:
      files: gzip TFRecords. Context elements are labels of another window.
      transform_output: gives the feature spec.
      lookup: item id to row.
      num_items: rows from there on are left out.

    Returns:
      [num_items, num_users] float32, 1 where the user met the item.
    """
    whole = transform_output.transformed_feature_spec()
    spec = {name: whole[name] for name in _READ}
    number: dict[bytes, int] = {}
    items, users = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    for serialized in records.batch(1_000):
        parsed = tf.io.parse_example(serialized, spec)
        of_window = np.array(
            [
                number.setdefault(u, len(number))
                for u in parsed[features.USER_ID].numpy()
            ],
            np.int32,
        )
        item = lookup.lookup(parsed[features.ITEM_ID].values).numpy()
        window = parsed[features.ITEM_ID].indices.numpy()[:, 0]
        is_label = parsed[features.IS_LABEL].values.numpy() == 1
        counts = is_label & (item >= 0) & (item < num_items)
        items.append(item[counts])
        users.append(of_window[window[counts]])
    item, user = np.concatenate(items), np.concatenate(users)
    shape = (num_items, max(1, len(number)))
    met = sparse.csr_matrix((np.ones(len(item), np.float32), (item, user)), shape)
    # An item that was met twice was met.
    met.data[:] = 1.0
    return met


class Audience:
    """Shrunk cosines between the audiences of items and of the reference items."""

    def __init__(self, met: sparse.csr_matrix, reference: NDArray[np.int64]):
        """Weighs users: who met much says little of each item.

        Args:
          met: [num_items, num_users] float32, 0 or 1.
          reference: [num_reference] rows of the items to compare with.
        """
        num_met = np.asarray(met.sum(axis=0)).ravel()
        weight = ((num_met + 1.0) ** -0.5).astype(np.float32)
        self._weighted = met @ sparse.diags(weight)
        self._size = np.sqrt(np.asarray(self._weighted.sum(axis=1)).ravel())
        self._others = met[reference].T.tocsr()
        self._size_of_others = self._size[reference]
        self._shrinkage = _SHRINKAGE * weight[num_met > 0].mean() if met.nnz else 1.0

    def cosines(self, row: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns [len(row), num_reference] float32 in [0, 1).

        common weight / (sqrt(own weight * the other's) + shrinkage)
        """
        common = (self._weighted[row] @ self._others).toarray()
        size = self._size[row][:, None] * self._size_of_others[None]
        shrunk: NDArray[np.float32] = common / (size + self._shrinkage)
        return shrunk.astype(np.float32)
