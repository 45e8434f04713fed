"""Splits users' histories by time: train, then eval, then test."""

from __future__ import annotations

import numpy as np

from components.event_example_gen import interactions
from schema import settings


def leave_last_out(user_begin: np.ndarray, held_out: int = 1) -> np.ndarray:
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
    user_begin: np.ndarray, timestamp: np.ndarray, cuts_ms: tuple[int, int]
) -> np.ndarray:
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
) -> np.ndarray:
    """Returns [4, users] bounds of the splits; without cuts, leave_last_out."""
    if cuts_ms is None:
        return leave_last_out(history.user_begin, held_out)
    return global_time(history.user_begin, history.timestamp, cuts_ms)


def label_counts(
    history: interactions.Interactions,
    begin: np.ndarray,
    end: np.ndarray,
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
