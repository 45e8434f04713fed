"""One cell of a table of metrics: value, interval, or why there is none."""

from __future__ import annotations

import dataclasses

from pipeline.report import contents
from pipeline.report.wording import findings, formatting


@dataclasses.dataclass(frozen=True)
class Cell:
    """A value with its interval; where there is no value, a dash and the reason."""

    value: str
    interval: str = ""
    reason: str = ""
    judgement: findings.Judgement = "neutral"


def missing(reason: str) -> Cell:
    """Returns the cell of a value that is not there."""
    return Cell(formatting.DASH, reason=reason)


def metric(interval: contents.Interval | None, reason: str) -> Cell:
    """Returns the cell of a metric.

    Args:
      interval: of the metric; None: the file does not hold it.
      reason: why it has no value, if it has none.
    """
    if interval is None or interval.value is None:
        return missing(reason)
    return Cell(
        formatting.number(interval.value),
        _span(formatting.number(interval.low), formatting.number(interval.high)),
    )


def difference(
    interval: contents.Interval | None, higher_is_better: bool, reason: str
) -> Cell:
    """Returns the cell of a difference, judged by its interval."""
    if interval is None or interval.value is None:
        return missing(reason)
    return Cell(
        formatting.signed(interval.value),
        _span(formatting.signed(interval.low), formatting.signed(interval.high)),
        judgement=findings.of_interval(interval.low, interval.high, higher_is_better),
    )


def _span(low: str, high: str) -> str:
    return f"{low} to {high}"
