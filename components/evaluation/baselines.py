"""What a recommender without a model would have served, to the same requests."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd
import scipy.sparse
from numpy.typing import NDArray

from components import held_out
from components.evaluation import item_index
from schema import settings

_CHUNK = 1_024
_REACH = 3
"""Items this close in a history count as met together, the closer the more."""
_LAST_ITEMS = 10
"""The newest items of a history whose neighbours are recommended."""


@dataclasses.dataclass(frozen=True)
class TrainingLog:
    """Training interactions, one after the other, window by window."""

    window: NDArray[np.int64]
    """[n] numbers of the windows, in their order; all columns are of this length."""
    item: NDArray[np.int32]
    timestamp_ms: NDArray[np.int64]
    is_label: NDArray[np.bool_]
    """False: context that an earlier window held."""
    is_liked: NDArray[np.bool_]
    """No action on it is negative."""


def read_log(
    windows: Iterable[held_out.Window],
    index: item_index.ItemIndex,
    feedback: settings.FeedbackSettings,
    max_windows: int,
) -> TrainingLog:
    """Returns the interactions of the first windows; `max_windows` 0: of all."""
    chosen = list(itertools.islice(windows, max_windows or None))
    if not chosen:
        nothing = np.zeros(0, np.int64)
        return TrainingLog(
            nothing, nothing.astype(np.int32), nothing, nothing > 0, nothing > 0
        )
    action = np.concatenate([window.action for window in chosen])
    code, names = pd.factorize(action)
    liked = [held_out.polarity(a, feedback) != held_out.NEGATIVE for a in names]
    return TrainingLog(
        window=np.repeat(np.arange(len(chosen)), [len(w.item_id) for w in chosen]),
        item=index.encode(np.concatenate([window.item_id for window in chosen])),
        timestamp_ms=np.concatenate([window.timestamp for window in chosen]),
        is_label=np.concatenate([window.is_label for window in chosen]),
        is_liked=np.array(liked, bool)[code],
    )


def ordered_lists(
    order: NDArray[np.int32], history: NDArray[np.int32], length: int
) -> NDArray[np.int32]:
    """Returns the first items of one order that are not in each history.

    Args:
      order: [n] items, best first.
      history: [num_requests, longest] items, -1 pads.
      length: items of each list.

    Returns:
      [num_requests, length] items, -1 pads.
    """
    # No history can drop more than it holds.
    order = order[: length + history.shape[1]]
    place = np.full(
        max(order.max(initial=-1), history.max(initial=-1)) + 2, -1, np.int64
    )
    place[order] = np.arange(len(order))
    lists = np.full((len(history), length), item_index.PAD, np.int32)
    for start in range(0, len(history), _CHUNK):
        met = place[history[start : start + _CHUNK]]
        rows, columns = np.nonzero(met >= 0)
        left = np.ones((len(met), len(order)), bool)
        left[rows, met[rows, columns]] = False
        column = np.cumsum(left, axis=1) - 1
        rows, columns = np.nonzero(left & (column < length))
        lists[start + rows, column[rows, columns]] = order[columns]
    return lists


def by_popularity(count: NDArray[np.int64]) -> NDArray[np.int32]:
    """Returns the items with training labels, most first, equal ones by id."""
    order = np.argsort(-count, kind="stable")
    return np.asarray(order[count[order] > 0], np.int32)


def by_recency(log: TrainingLog, num_items: int) -> NDArray[np.int32]:
    """Returns the items in the order of their last training label, newest first."""
    newest = np.full(num_items, np.iinfo(np.int64).min)
    known = log.is_label & (log.item >= 0)
    np.maximum.at(newest, log.item[known], log.timestamp_ms[known])
    order = np.argsort(-newest.astype(np.float64), kind="stable")
    return np.asarray(order[newest[order] > np.iinfo(np.int64).min], np.int32)


def neighbours(log: TrainingLog, num_items: int) -> scipy.sparse.csr_matrix:
    """Returns how much items are met together, [num_items, num_items] sparse.

    Liked items at most three apart in a window, 1 / distance each, divided by the root
    of both items' counts (cosine).
    """
    kept = log.is_liked & (log.item >= 0)
    item, window, is_label = log.item[kept], log.window[kept], log.is_label[kept]
    rows, columns, weights = [], [], []
    for distance in range(1, _REACH + 1):
        first, second = item[:-distance], item[distance:]
        pair = (window[:-distance] == window[distance:]) & is_label[distance:]
        pair &= first != second
        rows += [first[pair], second[pair]]
        columns += [second[pair], first[pair]]
        weights += [np.full(2 * int(pair.sum()), 1.0 / distance)]
    matrix = scipy.sparse.coo_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(num_items, num_items),
    ).tocsr()
    count = np.bincount(item[is_label], minlength=num_items)
    scale = scipy.sparse.diags(1.0 / np.sqrt(np.maximum(count, 1)))
    return (scale @ matrix @ scale).tocsr()


def item_to_item_lists(
    similar: scipy.sparse.csr_matrix,
    history: NDArray[np.int32],
    liked: NDArray[np.bool_],
    length: int,
) -> NDArray[np.int32]:
    """Returns the items most often met with the newest liked ones of each history.

    Args:
      similar: of `neighbours`.
      history: [num_requests, longest] items, oldest first, -1 pads.
      liked: [num_requests, longest].
      length: items of each list.

    Returns:
      [num_requests, length] items, -1 pads.
    """
    lists = np.full((len(history), length), item_index.PAD, np.int32)
    for start in range(0, len(history), _CHUNK):
        part = history[start : start + _CHUNK]
        use = (part >= 0) & liked[start : start + _CHUNK]
        behind = np.cumsum(use[:, ::-1], axis=1)[:, ::-1]
        rows, columns = np.nonzero(use & (behind <= _LAST_ITEMS))
        chosen = scipy.sparse.csr_matrix(
            (np.ones(len(rows)), (rows, part[rows, columns])),
            shape=(len(part), similar.shape[0]),
        )
        score = (chosen @ similar).tocsr()
        for row in range(len(part)):
            span = slice(score.indptr[row], score.indptr[row + 1])
            found, value = score.indices[span], score.data[span]
            new = ~np.isin(found, part[row])
            found, value = found[new], value[new]
            best = np.lexsort((found, -value))[:length]
            lists[start + row, : len(best)] = found[best]
    return lists
