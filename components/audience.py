"""Who met what: which users judge, and how far the audiences of two items agree.

Users are divided in two by a hash of their id. What is learnt may read the audience of
the one part; the other part judges what was learnt, and nothing else reads it: see
`is_judge`.

    likeness(i, j) = users of both / sqrt((users of i + s) * (users of j + s))

It is the cosine of the two audiences, shrunk by s = 5 users: what two people alone have
met tells little of what it resembles.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

_JUDGE, _HALF = b"heed judge", b"heed half"
"""Purposes of a hash: what follows from one tells nothing of the other."""
_SHRINKAGE = 5.0
"""Users; see the module."""
_MOST_USERS = 20_000
"""Of an audience, the first by their hash: further ones move no cosine by a point."""
_CHUNK = 1_024
"""Pairs of items that are compared at once; bounds memory."""
_LEAST_MET = 3
"""Users of an item in each half, for its cosines to count in the reliability."""
_MOST_ITEMS = 1_000
"""Items whose cosines the reliability is of, the most met: half a million pairs."""
_LEAST_ITEMS = 20
"""Fewer make no 200 pairs: their correlation would be chance."""


def is_judge(user_id: bytes, share: float) -> bool:
    """Returns whether a user judges: the first 8 bytes of BLAKE2b below the share.

    It depends on the id alone, so it is the same in every run and for every log. A
    larger share holds the users of a smaller one.

    Example:
      >>> [is_judge(user, 0.5) for user in (b"u1", b"u2", b"u3")]
      [True, True, False]
    """
    return _place(user_id, _JUDGE) < share


def _place(user_id: bytes, purpose: bytes) -> float:
    """Returns where a hash puts a user in [0, 1)."""
    digest = hashlib.blake2b(user_id, digest_size=8, person=purpose).digest()
    # Of 64 bits a float holds 53; the others would round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2.0**53


def paired_sums(
    matrix: scipy.sparse.csr_matrix, row: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the products of pairs of rows, summed: the dot product of each pair.

    Args:
      matrix: [items, columns].
      row: [pairs] rows.
      other: [pairs] rows.
    """
    pairs, place = np.unique(np.stack([row, other]), axis=1, return_inverse=True)
    found = np.empty(pairs.shape[1])
    for start in range(0, len(found), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        both = matrix[pairs[0, chunk]].multiply(matrix[pairs[1, chunk]])
        found[chunk] = np.asarray(both.sum(axis=1)).ravel()
    result: NDArray[np.float64] = found[place.ravel()]
    return result


@dataclasses.dataclass(frozen=True, eq=False)
class Audience:
    """Which users met each item."""

    item_id: tuple[bytes, ...]
    """[items], sorted; each met by somebody."""
    met: scipy.sparse.csr_matrix
    """[items, users] float64, 1 where the user met the item."""

    @property
    def num_users(self) -> int:
        """Number of users."""
        return int(self.met.shape[1])

    def pairs(
        self, row: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the likeness of pairs of items, [pairs] in [0, 1].

        Args:
          row: [pairs] of `item_id`.
          other: [pairs] of `item_id`.
        """
        length = self._lengths()
        both = paired_sums(self.met, row, other)
        likeness: NDArray[np.float64] = both / (length[row] * length[other])
        return likeness

    def rows(self, row: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the likeness of items to all items, [rows, items] in [0, 1]."""
        length = self._lengths()
        both = (self.met[row] @ self.met.T).toarray()
        likeness: NDArray[np.float64] = both / (length[row, None] * length[None, :])
        return likeness

    def _lengths(self) -> NDArray[np.float64]:
        number = np.diff(self.met.indptr)
        length: NDArray[np.float64] = np.sqrt(number + _SHRINKAGE)
        return length


def of(pairs: Iterable[tuple[bytes, bytes]]) -> Audience:
    """Returns the audience of a log.

    Args:
      pairs: (user_id, item_id); repeats count once.
    """
    distinct = sorted(set(pairs))
    users = sorted({user for user, _ in distinct}, key=lambda u: (_place(u, _HALF), u))
    column = {user: number for number, user in enumerate(users[:_MOST_USERS])}
    distinct = [pair for pair in distinct if pair[0] in column]
    items = sorted({item for _, item in distinct})
    row = {item: number for number, item in enumerate(items)}
    index = [row[i] for _, i in distinct], [column[u] for u, _ in distinct]
    shape = (len(items), len(column))
    met = scipy.sparse.csr_matrix((np.ones(len(distinct)), index), shape=shape)
    return Audience(tuple(items), met)


@dataclasses.dataclass(frozen=True)
class Reliability:
    """How far an audience agrees with another one of its kind."""

    value: float | None
    """At most 1; about 0 or below: chance. None: the log is too thin."""
    num_items: int
    """Items whose cosines were compared."""
    reason: str | None = None
    """Why there is no value."""


def reliability(audience: Audience) -> Reliability:
    """Returns the split-half reliability of the likeness.

    Users are divided in two halves, by the order of their hash. The correlation r of
    the two halves' cosines over the pairs of items that both halves have met is that
    of half as many users; 2 r / (1 + r) is that of all (Spearman-Brown).

    Args:
      audience: columns in the order of the users' hash, as `of` makes them.
    """
    halves = [audience.met[:, start::2] for start in (0, 1)]
    least = np.minimum(*[np.diff(half.indptr) for half in halves])
    common = np.flatnonzero(least >= _LEAST_MET)
    chosen = common[np.argsort(-least[common], kind="stable")[:_MOST_ITEMS]]
    number = len(chosen)
    if number < _LEAST_ITEMS:
        return Reliability(
            None,
            number,
            f"{number} items were met by {_LEAST_MET} users of each half of "
            f"{audience.num_users}; at least {_LEAST_ITEMS} are needed",
        )
    names = tuple(audience.item_id[row] for row in chosen.tolist())
    pair, found = np.triu_indices(number, k=1), []
    for half in halves:
        part = Audience(names, scipy.sparse.csr_matrix(half[chosen]))
        found.append(part.rows(np.arange(number))[pair])
    if not all(cosines.std() for cosines in found):
        return Reliability(None, number, "all of its items have the same audience")
    r = float(np.corrcoef(np.stack(found))[0, 1])
    # Halves that contradict each other have no more in common than none.
    return Reliability(2.0 * r / (1.0 + r) if r > 0.0 else r, number)
