"""The relevance figures of parts of the held-out interactions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pipeline.report.charts import error_bars
from pipeline.report.wording import findings, formatting, table_cells
from pipeline.report.wording import metric_names as metrics
from schema import reports

_FAMILIES = ("recall", "ndcg", "negative_recall", "negative_ndcg")
_NAMES = {
    "history:short": "short histories (up to the median)",
    "history:long": "long histories",
    "user:new": "users of whom nothing was known",
    "user:known": "users with a past",
    "item:head": "popular items (half of all training labels)",
    "item:tail": "rarer items",
    "item:cold": "items never met in training",
    "negative:explicit": "stated dislikes",
    "negative:implicit": "inferred dislikes, such as skips",
}


@dataclasses.dataclass(frozen=True)
class SliceRow:
    """One slice."""

    name: str
    words: str
    liked: str
    disliked: str
    against_last_blessed: table_cells.Cell | None
    """Difference of the first column to the last blessed model; None: no column."""
    cells: tuple[table_cells.Cell, ...]


@dataclasses.dataclass(frozen=True)
class Slices:
    """The section, ready to be shown."""

    finding: findings.Finding
    columns: tuple[str, ...]
    rows: tuple[SliceRow, ...]
    plot: str
    has_last_blessed: bool


def build(evaluation: reports.Evaluation | None) -> Slices | None:
    """Returns the section; None where there are no slices."""
    if evaluation is None or not evaluation.slices:
        return None
    k = metrics.main_cutoff(evaluation.metrics)
    if k is None:
        return None
    columns = tuple(f"{family}@{k}" for family in _FAMILIES)
    ordered = [name for name in _NAMES if name in evaluation.slices]
    ordered += sorted(set(evaluation.slices) - set(_NAMES))
    baseline = evaluation.baselines.get("last_blessed")
    before = baseline.slice_differences if baseline else {}
    return Slices(
        finding=_finding(evaluation, f"recall@{k}"),
        columns=columns,
        rows=tuple(
            _row(name, evaluation.slices[name], columns, before) for name in ordered
        ),
        plot=_plot(evaluation, ordered, columns, before),
        has_last_blessed=bool(before),
    )


def _plot(
    evaluation: reports.Evaluation,
    names: list[str],
    columns: tuple[str, ...],
    before: dict[str, reports.Metrics],
) -> str:
    """Plots recall of each slice, and the difference to the last blessed model."""
    recall = columns[0]
    points = {n: error_bars.point(evaluation.slices[n].get(recall)) for n in names}
    shown = [name for name, point in points.items() if point.value is not None]
    if not shown:
        return ""

    def series(values: Mapping[str, reports.Metrics]) -> tuple[error_bars.Series]:
        points = (error_bars.point(values.get(name, {}).get(recall)) for name in shown)
        return (error_bars.Series(tuple(points)),)

    panels = [
        error_bars.Panel(
            "Liked items found (more is better)",
            f"{recall}, %",
            tuple(shown),
            series(evaluation.slices),
            scale=100.0,
        )
    ]
    if before:
        panels.append(
            error_bars.Panel(
                "Against the last blessed model",
                f"difference of {recall}",
                tuple(shown),
                series(before),
                zero_line=True,
            )
        )
    title = "Liked items found, slice by slice"
    return error_bars.side_by_side(panels, title, "slices")


def _row(
    name: str,
    values: reports.Metrics,
    columns: tuple[str, ...],
    before: dict[str, reports.Metrics],
) -> SliceRow:
    def targets(column: str) -> str:
        interval = values.get(column)
        return formatting.count(interval.count if interval else None)

    return SliceRow(
        name=name,
        words=_NAMES.get(name, ""),
        liked=targets(columns[0]),
        disliked=targets(columns[2]),
        cells=tuple(
            table_cells.metric(
                values.get(column),
                metrics.why_missing(
                    values.get(column), "disliked" if "negative" in column else "liked"
                ),
            )
            for column in columns
        ),
        against_last_blessed=_against(before.get(name, {}).get(columns[0]))
        if before
        else None,
    )


def _against(interval: reports.Interval | None) -> table_cells.Cell:
    return table_cells.difference(
        interval, True, metrics.why_missing(interval, "liked")
    )


def _upper_end(share: reports.Interval | None) -> float | None:
    """Returns the upper end of a share's interval.

    A bootstrap of targets without a single hit says 0 to 0, however few they are. The
    rule of three stands in: with n targets and no hit, the share lies below 3 / n with
    95 % confidence (Hanley & Lippman-Hand, JAMA 1983).
    """
    if share is None or share.high is None or not share.count:
        return None
    return share.high if share.value else max(share.high, 3.0 / share.count)


def _finding(evaluation: reports.Evaluation, column: str) -> findings.Finding:
    """Names the slice that the model clearly serves worse than the whole."""
    whole = evaluation.metrics.get(column)
    intro = "The same figures for parts of the users and items"
    if whole is None or whole.low is None:
        return findings.Finding(f"{intro}.")
    below = [
        _NAMES.get(name, name)
        for name, values in sorted(evaluation.slices.items())
        if (high := _upper_end(values.get(column))) is not None and high < whole.low
    ]
    if not below:
        return findings.Finding(
            f"{intro}: in none of them does the model find clearly fewer liked items "
            "than overall.",
            "good",
        )
    return findings.Finding(
        f"{intro}: liked items are found clearly less often than overall for "
        f"{'; '.join(below)}.",
        "bad",
    )
