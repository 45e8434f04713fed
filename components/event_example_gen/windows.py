"""Cuts users' histories into windows, in which every label stands once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Windows(NamedTuple):
    """Windows over users' interactions.

    Attributes:
      user: [windows] int64 index of the user.
      start: [windows] int64, first interaction, an index over all users' interactions.
      label: [windows] int64, first interaction that is a label.
      end: [windows] int64, after the last interaction, which is a label too.
    """

    user: np.ndarray
    start: np.ndarray
    label: np.ndarray
    end: np.ndarray


def cut_windows(
    user_begin: np.ndarray,
    label_begin: np.ndarray,
    label_end: np.ndarray,
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
