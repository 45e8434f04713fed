"""One plain sentence about a figure, and whether what it says is good."""

from __future__ import annotations

import dataclasses
from typing import Literal

from schema import reports

Judgement = Literal["good", "bad", "unclear", "neutral"]
_LABELS = {"good": "good", "bad": "not good", "unclear": "unclear", "neutral": "note"}


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
