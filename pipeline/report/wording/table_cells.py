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
    """Returns the cell of a change beside the control, judged as a dislike's."""
    return _change(_beside_control(effect), reason)


def undone(effect: reports.Effect, reason: str) -> Cell:
    """Returns the same cell of a dislike that was taken back: little should be left."""
    interval = _beside_control(effect)
    cell = _change(interval, reason)
    if interval.value is None:
        return cell
    return dataclasses.replace(cell, judgement=findings.judge_undone(interval))


def _beside_control(effect: reports.Effect) -> reports.Interval:
    return reports.Interval(
        value=effect.responsiveness, low=effect.low, high=effect.high, count=0
    )


def net_change(effect: reports.Effect, reason: str) -> Cell:
    """Returns the cell of a change beside the slate before, judged the same way."""
    return _change(net(effect), reason)


def net(effect: reports.Effect) -> reports.Interval:
    """Returns the figure beside the slate before."""
    return reports.Interval(
        value=effect.net_responsiveness,
        low=effect.net_low,
        high=effect.net_high,
        count=effect.simulations,
    )


def _change(interval: reports.Interval, reason: str) -> Cell:
    if interval.value is None:
        return Cell(formatting.DASH, reason=reason)
    return Cell(
        formatting.signed_percent(interval.value),
        _span(formatting.signed_percent, interval.low, interval.high),
        judgement=findings.judge_answer(interval),
    )


def _span(
    text: Callable[[float | None], str], low: float | None, high: float | None
) -> str:
    return f"{text(low)} to {text(high)}"
