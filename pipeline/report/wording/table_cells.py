"""One cell of a table: value and interval, or why there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from pipeline.report.wording import findings, formatting
from schema import reports


@dataclasses.dataclass(frozen=True)
class Cell:
    """A value with its interval; where there is no value, a dash and the reason."""

    value: str
    interval: str = ""
    reason: str = ""
    judgement: findings.Judgement = "neutral"


def metric(interval: reports.Interval | None, reason: str) -> Cell:
    """Returns the cell of a metric.

    Args:
      interval: of the metric; None: the file does not hold it.
      reason: why it has no value, if it has none.
    """
    if interval is None or interval.value is None:
        return Cell(formatting.DASH, reason=reason)
    return Cell(
        formatting.number(interval.value),
        _span(formatting.number, interval.low, interval.high),
    )


def difference(
    interval: reports.Interval | None, higher_is_better: bool, reason: str
) -> Cell:
    """Returns the cell of a difference, judged by its interval."""
    if interval is None or interval.value is None:
        return Cell(formatting.DASH, reason=reason)
    return Cell(
        formatting.signed(interval.value),
        _span(formatting.signed, interval.low, interval.high),
        judgement=findings.judge(interval, higher_is_better),
    )


def change(effect: reports.Effect, reason: str) -> Cell:
    """Returns the cell of a relative change of similar items, judged as a dislike's."""
    if effect.responsiveness is None:
        return Cell(formatting.DASH, reason=reason)
    return Cell(
        formatting.signed_percent(effect.responsiveness),
        _span(formatting.signed_percent, effect.low, effect.high),
        judgement=findings.judge(effect, higher_is_better=False),
    )


def _span(
    text: Callable[[float | None], str], low: float | None, high: float | None
) -> str:
    return f"{text(low)} to {text(high)}"
