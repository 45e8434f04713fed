"""The relevance figures of parts of the held-out interactions."""

from __future__ import annotations

import dataclasses

from pipeline.report import cells, contents, findings, formatting
from pipeline.report import metric_names as metrics

_FAMILIES = ("recall", "ndcg", "negative_recall", "negative_ndcg")
_NAMES = {
    "history:short": "short histories (up to the median)",
    "history:long": "long histories",
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
    cells: tuple[cells.Cell, ...]


@dataclasses.dataclass(frozen=True)
class Slices:
    """The section, ready to be shown."""

    finding: findings.Finding
    columns: tuple[str, ...]
    rows: tuple[SliceRow, ...]


def build(evaluation: contents.Evaluation | None) -> Slices | None:
    """Returns the section; None where there are no slices."""
    if evaluation is None or not evaluation.slices:
        return None
    k = metrics.main_cutoff(evaluation.metrics)
    if k is None:
        return None
    columns = tuple(f"{family}@{k}" for family in _FAMILIES)
    ordered = [name for name in _NAMES if name in evaluation.slices]
    ordered += sorted(set(evaluation.slices) - set(_NAMES))
    return Slices(
        finding=_finding(evaluation, f"recall@{k}"),
        columns=columns,
        rows=tuple(_row(name, evaluation.slices[name], columns) for name in ordered),
    )


def _row(name: str, values: contents.Metrics, columns: tuple[str, ...]) -> SliceRow:
    def targets(column: str) -> str:
        interval = values.get(column)
        return formatting.count(interval.count if interval else None)

    return SliceRow(
        name=name,
        words=_NAMES.get(name, ""),
        liked=targets(columns[0]),
        disliked=targets(columns[2]),
        cells=tuple(
            cells.metric(
                values.get(column),
                metrics.why_missing(
                    values.get(column), "disliked" if "negative" in column else "liked"
                ),
            )
            for column in columns
        ),
    )


def _upper_end(share: contents.Interval | None) -> float | None:
    """Returns the upper end of a share's interval.

    A bootstrap of targets without a single hit says 0 to 0, however few they are. The
    rule of three stands in: with n targets and no hit, the share lies below 3 / n with
    95 % confidence (Hanley & Lippman-Hand, JAMA 1983).
    """
    if share is None or share.high is None or not share.count:
        return None
    return share.high if share.value else max(share.high, 3.0 / share.count)


def _finding(evaluation: contents.Evaluation, column: str) -> findings.Finding:
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
