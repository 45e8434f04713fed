"""How much an item resembles the reference items: what a dislike shall lower.

The reference items are those that most users met. The similarity is a weighted mean of
what is known of an item:

- audience: shrunk cosine of who met what, to the power 1.5;
- embedding: cosine of the candidate tower's embeddings, which also places items that
  nobody met, by creator, categories, declared features and title;
- categories: squared cosine of IDF-weighted category vectors.

Audience and embedding lose what a row shares with the average row: popular items would
resemble everything. The weight of what an item does not have goes to the rest. The
creator is the fourth part, whose weight is shared out here too, but it needs no
factorisation: see `creator_codes.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

AUDIENCE, EMBEDDING, CATEGORIES, CREATOR = range(4)
"""Columns of the parts' weights."""
_AUDIENCE_POWER = 1.5
_LEAST_SCALE = 1e-3
"""A row whose largest similarity is below it stays small."""


class Items(NamedTuple):
    """What is known of some items beside their audience."""

    embedding: NDArray[np.float32]
    """[n, dim]."""
    is_placed: NDArray[np.bool_]
    """[n] whether the embedding is of this item, not of any unknown one."""
    category_index: NDArray[np.int32]
    """[n, max_categories]; 0 pads."""
    has_creator: NDArray[np.bool_]
    """[n]."""

    def rows(self, chosen: NDArray[np.int64] | slice) -> Items:
        """Returns some of the items."""
        return Items(
            self.embedding[chosen],
            self.is_placed[chosen],
            self.category_index[chosen],
            self.has_creator[chosen],
        )


class Reference(NamedTuple):
    """What items are compared with; a later catalogue needs it as it was."""

    embedding: NDArray[np.float32]
    """[m, dim] of length 1, or 0."""
    category_index: NDArray[np.int32]
    """[m, max_categories]."""
    idf: NDArray[np.float32]
    """[num_categories]; 0 at index 0."""
    num_users: NDArray[np.float32]
    """[m] who met the item."""
    embedding_mean: NDArray[np.float32]
    """[m] similarity of the average user's item by embedding."""


def inverse_document_frequency(
    category_index: NDArray[np.int32], num_categories: int
) -> NDArray[np.float32]:
    """Returns log(items / items of the category), [num_categories] float32.

    Args:
      category_index: [n, max_categories]; 0 pads.
      num_categories: index 0 included, which has 0; so has what no item has.
    """
    held = category_index[category_index > 0]
    count = np.bincount(held, minlength=num_categories)
    idf = np.log(len(category_index) / np.maximum(count, 1))
    idf[(count == 0) | (np.arange(num_categories) == 0)] = 0.0
    return np.asarray(idf, np.float32)


def unit(embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns rows of length 1, or 0."""
    length = np.linalg.norm(embedding, axis=1, keepdims=True)
    return np.asarray(embedding / np.maximum(length, 1e-9), np.float32)


def by_embedding(
    items: Items, reference: Reference, own: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Returns cosines, 0 where negative, each row's largest 1; [n, m] float32.

    Args:
      items: n of them.
      reference: m of them.
      own: see `clear`.
    """
    cosine = placed(items) @ reference.embedding.T
    return _scaled(clear(np.maximum(cosine, 0.0), own))


def placed(items: Items) -> NDArray[np.float32]:
    """Returns embeddings of length 1; 0 for items that are not placed."""
    return unit(np.where(items.is_placed[:, None], items.embedding, 0.0))


def by_audience(
    cosine: NDArray[np.float32], own: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Returns `Audience.cosines` sharpened, each row's largest 1, [n, m] float32."""
    return _scaled(clear(cosine, own) ** _AUDIENCE_POWER, 1e-9)


def by_categories(items: Items, reference: Reference) -> NDArray[np.float32]:
    """Returns squared cosines, [n, m] float32."""
    own, others = (
        unit(_category_vectors(index, reference.idf))
        for index in (items.category_index, reference.category_index)
    )
    return np.asarray((own @ others.T) ** 2, np.float32)


def _category_vectors(
    index: NDArray[np.int32], idf: NDArray[np.float32]
) -> NDArray[np.float32]:
    vector = np.zeros((len(index), len(idf)), np.float32)
    np.put_along_axis(vector, index, idf[index], axis=1)
    # Pads have set it to its own 0.
    return vector


def popularity(
    similarity: NDArray[np.float32], count: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns the average row, each item as often as users met it, [m] float32.

    Args:
      similarity: [m, m] of the reference items.
      count: [m] users who met them.
    """
    return np.asarray(count @ similarity / count.sum(), np.float32)


def without_popularity(
    similarity: NDArray[np.float32],
    mean: NDArray[np.float32],
    count: NDArray[np.float32],
    own: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Returns what rows do not share with the average, each row's largest 1.

    Args:
      similarity: [n, m].
      mean: [m], see `popularity`.
      count: [m] users who met the reference items, the weights of the regression.
      own: see `clear`.

    Returns:
      [n, m] float32, negative for what is popular and resembles less than that.
    """
    square = max(float((count * mean * mean).sum()), 1e-12)
    share = similarity @ (count * mean) / square
    rest = clear(similarity - share[:, None] * mean[None], own)
    return _scaled(rest)


def _scaled(
    similarity: NDArray[np.float32], least: float = _LEAST_SCALE
) -> NDArray[np.float32]:
    largest = similarity.max(axis=1, keepdims=True, initial=0.0)
    return np.asarray(similarity / np.maximum(largest, least), np.float32)


def clear(
    similarity: NDArray[np.float32], own: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Sets the similarity of items to themselves to 0, and returns the array.

    Args:
      similarity: [n, m].
      own: [n] column of the item itself; -1: it is no reference item.
    """
    row = np.flatnonzero(own >= 0)
    similarity[row, own[row]] = 0.0
    return similarity


def shares(has: NDArray[np.bool_], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the weights of the parts that an item has; they sum to 1, or to 0.

    Args:
      has: [n, parts].
      weight: [parts].

    Example:
      >>> shares(np.array([[False, True, True]]), np.array([0.4, 0.4, 0.2]))
      array([[0.        , 0.6666667 , 0.33333334]], dtype=float32)
    """
    held = has * weight
    total = held.sum(axis=1, keepdims=True)
    return np.asarray(held / np.where(total > 0.0, total, 1.0), np.float32)
