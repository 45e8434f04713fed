"""Codes of all candidates: who resembles whom, in few dimensions.

`fit` learns them from the training log once the towers are done. `extend` gives codes
to items that nobody met, from what `fit` leaves; a newer catalogue needs no training.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from components.trainer.avoidance import audience as audience_lib
from components.trainer.avoidance import factorisation, similarity

NUM_REFERENCE = 2_500
"""Items that all others are compared with."""
_ROWS_AT_ONCE = 4_096
"""Bounds the memory: so many rows by `NUM_REFERENCE` columns of float32."""


class Extension(NamedTuple):
    """What gives codes to items that nobody met."""

    reference: similarity.Reference
    query_projection: NDArray[np.float32]
    """[m, dim]."""
    candidate_projection: NDArray[np.float32]
    """[m, dim]."""


class ItemCodes(NamedTuple):
    """Codes, and the weight of the creator beside them."""

    query: NDArray[np.float32]
    """[n, dim]."""
    candidate: NDArray[np.float32]
    """[n, dim]."""
    creator_share: NDArray[np.float32]
    """[n] of a dislike's answer; 0 where the creator is not known."""


def fit(
    met: sparse.csr_matrix,
    items: similarity.Items,
    idf: NDArray[np.float32],
    weight: NDArray[np.float32],
    dim: int,
) -> tuple[ItemCodes, Extension]:
    """Returns the codes of the items of a log, and what extends them.

    Args:
      met: [n, num_users] float32, 1 where the user met the item.
      items: the n items.
      idf: see `similarity.inverse_document_frequency`.
      weight: [4] of audience, embedding, categories and creator.
      dim: of the codes.
    """
    num_users = np.asarray(met.sum(axis=1)).ravel().astype(np.float32)
    top = np.argsort(-num_users, kind="stable")[:NUM_REFERENCE]
    own = np.full(len(num_users), -1, np.int64)
    own[top] = np.arange(len(top))
    audience = audience_lib.Audience(met, top)
    of_top = items.rows(top)
    reference = similarity.Reference(
        similarity.placed(of_top),
        of_top.category_index,
        idf,
        np.maximum(num_users[top], 0.5),
        np.zeros(len(top), np.float32),
    )

    def audience_of(row: NDArray[np.int64]) -> NDArray[np.float32]:
        return similarity.by_audience(audience.cosines(row), own[row])

    audience_mean = similarity.popularity(audience_of(top), reference.num_users)
    by_embedding = similarity.by_embedding(of_top, reference, own[top])
    reference = reference._replace(
        embedding_mean=similarity.popularity(by_embedding, reference.num_users)
    )

    def rows(
        row: NDArray[np.int64],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        by_audience = similarity.without_popularity(
            audience_of(row), audience_mean, reference.num_users, own[row]
        )
        return _mixed(items.rows(row), reference, weight, own[row], by_audience)

    square, _ = rows(top)
    square = (square + square.T) / 2.0
    frequency = np.sqrt(reference.num_users)
    of_reference = factorisation.factorise(square, frequency, dim)
    extension = Extension(
        reference,
        factorisation.projection(of_reference.candidate, frequency),
        factorisation.projection(of_reference.query, frequency),
    )
    found = ItemCodes(
        np.zeros((len(own), dim), np.float32),
        np.zeros((len(own), dim), np.float32),
        np.zeros(len(own), np.float32),
    )
    for row in _blocks(len(own)):
        target, found.creator_share[row] = rows(row)
        found.query[row] = target @ extension.query_projection
        found.candidate[row] = target @ extension.candidate_projection
    found.query[top], found.candidate[top] = of_reference
    return found, extension


def extend(
    items: similarity.Items, extension: Extension, weight: NDArray[np.float32]
) -> ItemCodes:
    """Returns the codes of items that nobody met.

    Args:
      items: n of them.
      extension: see `fit`.
      weight: as in `fit`; that of the audience goes to the other parts.
    """
    dim = extension.query_projection.shape[1]
    num_items = len(items.has_creator)
    found = ItemCodes(
        np.zeros((num_items, dim), np.float32),
        np.zeros((num_items, dim), np.float32),
        np.zeros(num_items, np.float32),
    )
    for row in _blocks(num_items):
        nowhere = np.full(len(row), -1, np.int64)
        target, found.creator_share[row] = _mixed(
            items.rows(row), extension.reference, weight, nowhere
        )
        found.query[row] = target @ extension.query_projection
        found.candidate[row] = target @ extension.candidate_projection
    return found


def _blocks(num_rows: int) -> list[NDArray[np.int64]]:
    starts = range(0, num_rows, _ROWS_AT_ONCE)
    return [np.arange(s, min(s + _ROWS_AT_ONCE, num_rows)) for s in starts]


def _mixed(
    items: similarity.Items,
    reference: similarity.Reference,
    weight: NDArray[np.float32],
    own: NDArray[np.int64],
    by_audience: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the weighted mean of the parts, and the creator's weight.

    Args:
      items: n of them.
      reference: m of them.
      weight: [4] of the parts.
      own: see `similarity.clear`.
      by_audience: [n, m] without popularity; None: nobody met these items.

    Returns:
      similarity: [n, m] float32.
      creator_share: [n] float32.
    """
    by_embedding = similarity.without_popularity(
        similarity.by_embedding(items, reference, own),
        reference.embedding_mean,
        reference.num_users,
        own,
    )
    by_categories = similarity.by_categories(items, reference)
    has_categories = (reference.idf[items.category_index] > 0.0).any(axis=1)
    nobody = np.zeros(len(own), bool)
    has = np.stack(
        [
            nobody if by_audience is None else by_audience.any(axis=1),
            items.is_placed,
            has_categories,
            items.has_creator,
        ],
        axis=1,
    )
    share = similarity.shares(has, weight)
    mixed = share[:, similarity.EMBEDDING, None] * by_embedding
    mixed += share[:, similarity.CATEGORIES, None] * by_categories
    if by_audience is not None:
        mixed += share[:, similarity.AUDIENCE, None] * by_audience
    return mixed, share[:, similarity.CREATOR]
