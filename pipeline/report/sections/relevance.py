"""How well the served model ranks what users went on to like, and to dislike."""

from __future__ import annotations

import dataclasses

from pipeline.report import run_reports
from pipeline.report.charts import error_bars, lines, svg
from pipeline.report.sections import relevance_findings
from pipeline.report.wording import findings, formatting, table_cells
from pipeline.report.wording import metric_names as metrics
from schema import reports

BASELINES = (
    ("popularity", "popularity list", svg.POPULARITY, "s"),
    ("last_blessed", "last blessed model", svg.LAST_BLESSED, "^"),
    ("item_to_item", "item-to-item list", svg.INK, "D"),
    ("most_recent", "most recent list", svg.MUTED, "v"),
)
"""Key, label, colour and marker; in the order of the columns."""
_EXPECTED = ("popularity", "last_blessed")
"""Named where they are absent."""
_COMPARED = ("recall", "ndcg", "negative_recall", "negative_ndcg")


@dataclasses.dataclass(frozen=True)
class MetricRow:
    """One metric: of this model, of each baseline, and the difference to it."""

    name: str
    words: str
    higher_is_better: bool
    targets: str
    model: table_cells.Cell
    baselines: tuple[tuple[table_cells.Cell, table_cells.Cell], ...]
    """The baseline's value and the paired difference to it."""


@dataclasses.dataclass(frozen=True)
class Relevance:
    """The section, ready to be shown."""

    summary: tuple[findings.Finding, ...]
    liked_and_disliked_plot: str
    differences: tuple[tuple[findings.Finding, str], ...]
    """The sentence and plot of each baseline."""
    rank_finding: findings.Finding | None
    rank_plot: str
    baseline_labels: tuple[str, ...]
    absent_baselines: tuple[str, ...]
    ranking: tuple[MetricRow, ...]
    serving: tuple[MetricRow, ...]
    targets: str


def build(run: run_reports.RunReports) -> Relevance | None:
    """Returns the section; None where the model was not evaluated."""
    evaluation = run.evaluation
    if evaluation is None:
        return None
    present = [entry for entry in BASELINES if entry[0] in evaluation.baselines]
    # A baseline equal to the candidate, and the first run's missing one, are absent.
    absent = [
        entry
        for entry in BASELINES
        if entry[0] in _EXPECTED and entry[0] not in evaluation.baselines
    ]
    curves = run.predictions or {}
    return Relevance(
        summary=relevance_findings.build(evaluation, run.promotion),
        liked_and_disliked_plot=_levels_plot(evaluation),
        differences=tuple(
            (
                relevance_findings.dislikes_against(evaluation, key, label),
                _differences_plot(evaluation.baselines[key], label, key),
            )
            for key, label, _, _ in present
            if evaluation.baselines[key].differences
        ),
        rank_finding=relevance_findings.ranks(curves, evaluation) if curves else None,
        rank_plot=lines.rank_curves(curves) if curves else "",
        baseline_labels=tuple(label for _, label, _, _ in present),
        absent_baselines=tuple(label for _, label, _, _ in absent),
        ranking=_rows(evaluation, metrics.RANKING, [key for key, *_ in present]),
        serving=_rows(
            evaluation, (*metrics.SERVING, *metrics.SERVED_LISTS, *metrics.HORIZON), []
        ),
        targets=_targets(evaluation),
    )


def _targets(evaluation: reports.Evaluation) -> str:
    if evaluation.targets is None or evaluation.users is None:
        return ""
    text = (
        f"{formatting.counted(evaluation.targets, 'held-out interaction')} of "
        f"{formatting.counted(evaluation.users, 'user')}"
    )
    if evaluation.candidates is None:
        return text
    text = (
        f"{text}, each ranked among {formatting.counted(evaluation.candidates, 'item')}"
    )
    if evaluation.items_lost and evaluation.targets_lost is not None:
        lost = formatting.counted(evaluation.items_lost, "item")
        text += (
            f". The newer catalogue lacks {lost} of the training run's, so that "
            f"{evaluation.targets_lost:,} of these interactions count as misses"
        )
    if evaluation.targets_withdrawn:
        text += (
            f". The catalogue has withdrawn the items of "
            f"{evaluation.targets_withdrawn:,} more, which are left out"
        )
    return text


def _levels_plot(evaluation: reports.Evaluation) -> str:
    """Plots recall of liked and of disliked targets, of all models."""
    panels = []
    for family, title in (
        ("recall", "Liked items found (more is better)"),
        ("negative_recall", "Disliked items found (less is better)"),
    ):
        found = metrics.names(evaluation.metrics, family)
        if not found:
            continue
        names = [name for name, _ in found]
        series = [error_bars.Series(_points(evaluation.metrics, names))]
        for key, label, colour, marker in BASELINES:
            if key in evaluation.baselines:
                points = _points(evaluation.baselines[key].metrics, names)
                series.append(error_bars.Series(points, label, colour, marker))
        panels.append(
            error_bars.Panel(
                title=title,
                axis="share of held-out items, %",
                rows=tuple(f"first {k}" for _, k in found),
                series=tuple(series),
                scale=100.0,
            )
        )
    return error_bars.side_by_side(
        panels, "Share of liked and of disliked items found, with intervals", "levels"
    )


def _points(values: reports.Metrics, names: list[str]) -> tuple[error_bars.Point, ...]:
    return tuple(error_bars.point(values.get(name)) for name in names)


def _differences_plot(baseline: reports.Baseline, label: str, key: str) -> str:
    panels = []
    for families, title in (
        (_COMPARED[:2], "Liked items (right is better)"),
        (_COMPARED[2:], "Disliked items (left is better)"),
    ):
        names = [
            name
            for family in families
            for name, _ in metrics.names(baseline.differences, family)
        ]
        if names:
            points = _points(baseline.differences, names)
            series = error_bars.Series(points, "difference")
            panels.append(
                error_bars.Panel(
                    title=title,
                    axis=f"this model minus {label}",
                    rows=tuple(names),
                    series=(series,),
                    zero_line=True,
                )
            )
    title = f"Paired differences to the {label}, with intervals"
    return error_bars.side_by_side(panels, title, f"differences-{key}")


def _rows(
    evaluation: reports.Evaluation,
    families: tuple[metrics.Family, ...],
    baselines: list[str],
) -> tuple[MetricRow, ...]:
    rows = []
    for family in families:
        for name, k in metrics.names(evaluation.metrics, family.name):
            interval = evaluation.metrics[name]
            rows.append(
                MetricRow(
                    name=name,
                    words=family.words.format(k=k),
                    higher_is_better=family.higher_is_better,
                    targets=formatting.count(interval.count),
                    model=table_cells.metric(
                        interval, metrics.why_missing(interval, family.needs)
                    ),
                    baselines=tuple(
                        _against(evaluation.baselines[key], name, family)
                        for key in baselines
                    ),
                )
            )
    return tuple(rows)


def _against(
    baseline: reports.Baseline, name: str, family: metrics.Family
) -> tuple[table_cells.Cell, table_cells.Cell]:
    value, gap = baseline.metrics.get(name), baseline.differences.get(name)
    return (
        table_cells.metric(value, metrics.why_missing(value, family.needs)),
        table_cells.difference(
            gap,
            family.higher_is_better,
            "not compared" if gap is None else metrics.why_missing(gap, family.needs),
        ),
    )
