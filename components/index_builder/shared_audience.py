"""Finds the items that share their audience, so that people can be told of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import scipy.sparse

from components import audience, held_out
from serving.bundle import audience as bundle

NEAREST = 50
"""Items that an item's audience is compared with: two slates and a half."""
_LEAST_USERS = 3
"""Users of both: what two people have met tells of them, not of the items."""
_MOST_WINDOWS = 200_000
"""Windows that are read; their files are divided by a hash of the user."""
_MOST_ITEMS = 20_000
"""Items with an audience, the most met: of the others few can be said to share one."""
_CHUNK = 256


def of(windows: Iterable[held_out.Window]) -> dict[str, bundle.Audience]:
    """Returns the audience of each item that shares one, by item id.

    Args:
      windows: of the training split. Context elements are labels of another window.
    """
    met = audience.of(
        (window.user_id, item)
        for window in itertools.islice(windows, _MOST_WINDOWS)
        for item in window.item_id[window.is_label].tolist()
    )
    users = np.diff(met.met.indptr)
    chosen = np.sort(np.argsort(-users, kind="stable")[:_MOST_ITEMS])
    chosen = chosen[users[chosen] >= _LEAST_USERS]
    most_met = audience.Audience(
        tuple(met.item_id[row] for row in chosen.tolist()),
        scipy.sparse.csr_matrix(met.met[chosen]),
    )
    found = {}
    for start in range(0, len(chosen), _CHUNK):
        found.update(_nearest(most_met, start, min(start + _CHUNK, len(chosen))))
    return found


def _nearest(
    met: audience.Audience, start: int, end: int
) -> dict[str, bundle.Audience]:
    """Returns the audiences of some rows, without those that share none."""
    users = np.diff(met.met.indptr)
    row = np.arange(start, end)
    both = (met.met[row] @ met.met.T).toarray()
    likeness = np.where(both >= _LEAST_USERS, met.rows(row), 0.0)
    likeness[np.arange(len(row)), row] = 0.0  # an item is not its own neighbour
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
    found = {}
    for place, item in enumerate(row.tolist()):
        nearest = {
            met.item_id[other].decode(): bundle.Shared(
                int(both[place, other]), int(users[other])
            )
            for other in order[place].tolist()
            if likeness[place, other] > 0.0
        }
        if nearest:
            audience_ = bundle.Audience(int(users[item]), nearest)
            found[met.item_id[item].decode()] = audience_
    return found
