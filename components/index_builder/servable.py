"""The catalogue as the served model needs it: titles, filters, what is withdrawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schema import errors, features
from serving.bundle import catalog

_SPEC = {
    features.ITEM_ID: tf.io.FixedLenFeature([], tf.string),
    features.CREATOR_ID: tf.io.RaggedFeature(tf.string),
    features.CATEGORIES: tf.io.RaggedFeature(tf.string),
    features.TITLE: tf.io.RaggedFeature(tf.string),
    features.IMAGE_URL: tf.io.RaggedFeature(tf.string),
    features.WITHDRAWN: tf.io.RaggedFeature(tf.int64),
}


def read(files: Sequence[str]) -> dict[bytes, catalog.Item]:
    """Returns the items of raw catalogue examples by id.

    Args:
      files: gzip TFRecords.
    """
    items: dict[bytes, catalog.Item] = {}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    for serialized in records.batch(10_000):
        parsed = tf.io.parse_example(serialized, _SPEC)
        ids = parsed[features.ITEM_ID].numpy().tolist()
        creators, categories, titles, image_urls, withdrawn = (
            parsed[name].to_list()
            for name in (
                features.CREATOR_ID,
                features.CATEGORIES,
                features.TITLE,
                features.IMAGE_URL,
                features.WITHDRAWN,
            )
        )
        for row, item in enumerate(ids):
            items[item] = catalog.Item(
                title=titles[row][0] if titles[row] else b"",
                creator_id=creators[row][0] if creators[row] else b"",
                categories=tuple(categories[row]),
                image_url=image_urls[row][0] if image_urls[row] else b"",
                is_withdrawn=any(withdrawn[row]),
            )
    return items


def with_lost(
    items: Mapping[bytes, catalog.Item],
    before: Mapping[bytes, catalog.Item],
    max_share: float,
) -> dict[bytes, catalog.Item]:
    """Returns the catalogue, with items of an earlier one that it lacks as lost.

    Args:
      items: the newer catalogue.
      before: the catalogue that the model was trained with.
      max_share: largest share of the earlier items that may leave the index, lost or
        withdrawn.

    Raises:
      InputError: more would.
    """
    served = [item for item, entry in before.items() if not entry.is_withdrawn]
    lost = [item for item in served if item not in items]
    withdrawn = [i for i in served if i in items and items[i].is_withdrawn]
    if len(lost) + len(withdrawn) > max_share * len(served):
        raise errors.InputError(
            f"the newer catalogue lacks {len(lost)} of the {len(served)} items that "
            f"the model was trained with, and withdraws {len(withdrawn)} more: more "
            f"than `checks.max_lost_items_share` = {max_share:g} allows. Give the "
            "whole catalogue or, if so many are gone on purpose, raise the share"
        )
    gone = {
        item: dataclasses.replace(entry, is_withdrawn=True, is_lost=True)
        for item, entry in before.items()
        if item not in items
    }
    return {**items, **gone}


def rows(
    item_id: NDArray[np.object_], items: Mapping[bytes, catalog.Item]
) -> NDArray[np.int32]:
    """Returns the candidate rows that may be recommended, ascending int32.

    Args:
      item_id: [num_candidates] bytes.
      items: the catalogue; candidates that it lacks may be recommended.

    Raises:
      InputError: an id stands there twice, or nothing is left to recommend.
    """
    distinct, count = np.unique(item_id, return_counts=True)
    if (count > 1).any():
        names = ", ".join(item.decode() for item in distinct[count > 1][:5])
        raise errors.InputError(
            f"{int((count > 1).sum())} candidates stand twice in the candidate table, "
            f"so no index is built: {names}; an item must have one row"
        )
    kept = [
        row
        for row, item in enumerate(item_id.tolist())
        if item not in items or not items[item].is_withdrawn
    ]
    if not kept:
        raise errors.InputError(
            f"all {len(item_id)} candidates are withdrawn, so no index is built: check "
            "the column `withdrawn` of `data.items`"
        )
    return np.array(kept, np.int32)
