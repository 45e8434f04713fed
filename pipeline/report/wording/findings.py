"""One plain sentence about a figure, and whether what it says is good."""

from __future__ import annotations

import dataclasses
from typing import Literal

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


def judge(low: float | None, high: float | None, higher_is_better: bool) -> Judgement:
    """Returns what an interval of a difference shows.

    Only an interval that lies wholly on one side of zero says anything.

    Example:
      >>> judge(-0.2, -0.1, higher_is_better=False)
      'good'
    """
    if low is None or high is None or low <= 0.0 <= high:
        return "unclear"
    return "good" if (low > 0.0) == higher_is_better else "bad"
