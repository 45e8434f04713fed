"""One plain sentence about a figure, and whether what it says is good."""

from __future__ import annotations

import dataclasses
from typing import Literal

from schema import reports

Judgement = Literal["good", "weak", "bad", "unclear", "neutral"]
_LABELS = {
    "good": "good",
    "weak": "small",
    "bad": "not good",
    "unclear": "unclear",
    "neutral": "note",
}
_LEAST_ANSWER = 0.05
"""Fall of what resembles a disliked item that people may notice; the gate's default."""
_MOST_LEFT = 0.1
"""Of an answer, once it was taken back: within so much, it is undone."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """A sentence for a reader who knows the product and not the method."""

    text: str
    judgement: Judgement = "neutral"

    @property
    def label(self) -> str:
        """The judgement as a word, so that nothing depends on colour."""
        return _LABELS[self.judgement]


def judge(difference: reports.WithInterval, higher_is_better: bool) -> Judgement:
    """Returns what the interval of a difference shows.

    Only an interval that lies wholly on one side of zero says anything.

    Example:
      >>> judge(reports.Interval(low=-0.2, high=-0.1), higher_is_better=False)
      'good'
    """
    low, high = difference.low, difference.high
    if low is None or high is None or low <= 0.0 <= high:
        return "unclear"
    return "good" if (low > 0.0) == higher_is_better else "bad"


def judge_answer(change: reports.WithInterval) -> Judgement:
    """Returns what the change of items that resemble a disliked one shows.

    A fall counts for good only if all of its interval is at least 5 %.

    Example:
      >>> judge_answer(reports.Interval(low=-0.04, high=-0.02))
      'weak'
    """
    judgement = judge(change, higher_is_better=False)
    if judgement == "good" and (change.high or 0.0) > -_LEAST_ANSWER:
        return "weak"
    return judgement


def judge_undone(change: reports.WithInterval) -> Judgement:
    """Returns whether a dislike was undone: nothing of its answer should be left.

    Example:
      >>> judge_undone(reports.Interval(low=-0.45, high=-0.35))
      'bad'
      >>> judge_undone(reports.Interval(low=-0.05, high=0.02))
      'good'
    """
    low, high = change.low, change.high
    if low is None or high is None:
        return "unclear"
    if low >= -_MOST_LEFT and high <= _MOST_LEFT:
        return "good"
    return "bad" if high < -_MOST_LEFT or low > _MOST_LEFT else "unclear"
