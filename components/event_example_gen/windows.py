"""Splits users' histories by time, and cuts each split into windows.

Train, then eval, then test; of the users that judge, what comes before test is a split
of its own. In the windows of a split every label stands once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.event_example_gen import interactions
from schema import features, settings


def leave_last_out(
    user_begin: NDArray[np.int64], held_out: int = 1
) -> NDArray[np.int64]:
    """Returns where the eval and test labels of each user begin.

    Args:
      user_begin: [users + 1] int64, where each user's interactions begin.
      held_out: interactions of a user in eval and as many in test; a user with fewer
        than three times as many gives a third to each, and none with fewer than three.

    Returns:
      [4, users] int64: begin of train, of eval, of test, and the user's end. The last
      interactions are test, those before them eval, the rest train.
    """
    begin, end = user_begin[:-1], user_begin[1:]
    held_out_of_user = np.minimum(held_out, (end - begin) // 3)
    return np.stack([begin, end - 2 * held_out_of_user, end - held_out_of_user, end])


def global_time(
    user_begin: NDArray[np.int64],
    timestamp: NDArray[np.int64],
    cuts_ms: tuple[int, int],
) -> NDArray[np.int64]:
    """Returns where the eval and test labels of each user begin, by two cuts.

    Args:
      user_begin: [users + 1] int64, where each user's interactions begin.
      timestamp: [interactions] int64 milliseconds, ascending within a user.
      cuts_ms: train ends before the first, eval before the second.

    Returns:
      [4, users] int64, as of `leave_last_out`.
    """
    begin, end = user_begin[:-1], user_begin[1:]
    bounds = [begin]
    for cut in cuts_ms:
        before = np.concatenate([[0], np.cumsum(timestamp < cut)])
        bounds.append(begin + before[end] - before[begin])
    return np.stack([*bounds, end])


def split_bounds(
    history: interactions.Interactions,
    cuts_ms: tuple[int, int] | None,
    held_out: int = 1,
) -> NDArray[np.int64]:
    """Returns [4, users] bounds of the splits; without cuts, leave_last_out."""
    if cuts_ms is None:
        return leave_last_out(history.user_begin, held_out)
    return global_time(history.user_begin, history.timestamp, cuts_ms)


def split_ranges(
    bounds: NDArray[np.int64], judges: NDArray[np.bool_]
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Returns the labels of each split: where those of each user begin and end.

    Args:
      bounds: [4, users] int64, as of `leave_last_out`.
      judges: [users] whose labels before the test split are the judge's.

    Returns:
      Split, that of the judge among them, to two [users] int64.
    """
    begin, eval_begin, test_begin, end = bounds
    learnt = ~judges
    return {
        features.TRAIN: (begin, np.where(learnt, eval_begin, begin)),
        features.EVAL: (eval_begin, np.where(learnt, test_begin, eval_begin)),
        features.TEST: (test_begin, end),
        features.JUDGE: (begin, np.where(judges, test_begin, begin)),
    }


def label_counts(
    history: interactions.Interactions,
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    policy: settings.FeedbackSettings,
) -> dict[str, int]:
    """Returns how many labels of a split are positive, negative and neutral.

    An interaction with a negative action is negative, whatever else was done.

    Args:
      history: interactions of some users.
      begin: [users] int64, first label of each user.
      end: [users] int64, after the last label.
      policy: polarity of each action.
    """
    masks = {"positive": 0, "negative": 0}
    for bit, name in enumerate(policy.names()):
        polarity = policy.actions[name].polarity
        if polarity in masks:
            masks[polarity] |= 1 << bit
    # +1 where a range begins, -1 where it ends: positive inside some range.
    edges = np.zeros(len(history.item) + 1, np.int64)
    np.add.at(edges, begin, 1)
    np.add.at(edges, end, -1)
    actions = history.actions[np.cumsum(edges[:-1]) > 0]
    negative = actions & masks["negative"] != 0
    positive = (actions & masks["positive"] != 0) & ~negative
    return {
        "positive": int(positive.sum()),
        "negative": int(negative.sum()),
        "neutral": int((~positive & ~negative).sum()),
    }


class Windows(NamedTuple):
    """Windows over users' interactions."""

    user: NDArray[np.int64]
    """[windows] int64 index of the user."""
    start: NDArray[np.int64]
    """[windows] int64, first interaction, an index over all users' interactions."""
    label: NDArray[np.int64]
    """[windows] int64, first interaction that is a label."""
    end: NDArray[np.int64]
    """[windows] int64, after the last interaction, which is a label too."""


def cut_windows(
    user_begin: NDArray[np.int64],
    label_begin: NDArray[np.int64],
    label_end: NDArray[np.int64],
    max_length: int,
    min_context: int,
) -> Windows:
    """Returns the windows of one split, in which every label stands exactly once.

    The first window of a range of labels reaches back `min_context` interactions;
    each later one starts `min_context` before its first label. A window that is not
    full takes more context, as far as there is any.

    Args:
      user_begin: [users + 1] int64, where each user's interactions begin.
      label_begin: [users] int64, first label.
      label_end: [users] int64, after the last label.
      max_length: most interactions in a window.
      min_context: context-only interactions before the first label, if there are any;
        below `max_length`.
    """
    begin = user_begin[:-1]
    # Positions count from the user's first interaction.
    a, b = label_begin - begin, label_end - begin
    first_end = np.minimum(b, np.maximum(0, a - min_context) + max_length)
    step = max_length - min_context
    count = np.where(b > a, 1 + -(-(b - first_end) // step), 0)
    user = np.repeat(np.arange(len(begin)), count)
    index = np.arange(len(user)) - np.repeat(np.cumsum(count) - count, count)
    end = np.minimum(b[user], first_end[user] + index * step)
    label = np.where(index == 0, a[user], first_end[user] + (index - 1) * step)
    start = np.maximum(0, end - max_length)
    offset = begin[user]
    return Windows(user, start + offset, label + offset, end + offset)
