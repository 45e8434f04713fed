"""What heeding a dislike costs in relevance: the curve of an experiment."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.report.charts import error_bars, tradeoff
from pipeline.report.sections import responsiveness
from schema import reports

_SIMILARITIES = ("audience_nearest", "category_overlap", "creator")
"""Graded, or read from nobody that training reads: each has a panel of its own."""


def arms_plot(experiment: reports.Experiment | None) -> str:
    """Returns relevance against the answer beside the slate before.

    A panel for each of the leading similarities, a point for each variant; those of one
    arm are joined in the order in which they were swept. Bars are the interval of the
    mean over seeds, where there are several.

    Args:
      experiment: `experiment.json`; None: no experiment was made.
    """
    if experiment is None:
        return ""
    action = next((r.primary_action for r in experiment.runs if r.primary_action), None)
    if action is None:
        return ""
    by_arm: dict[str, dict[str, reports.ExperimentRun]] = {}
    for row in experiment.runs:
        by_arm.setdefault(row.arm, {}).setdefault(row.variant, row)
    panels = {}
    for similarity in _SIMILARITIES:
        key = reports.net_key(similarity, action)
        arms = {
            arm: _of_arm(experiment, list(variants.values()), key)
            for arm, variants in by_arm.items()
        }
        if any(arms.values()):
            panels[responsiveness.words(similarity)] = arms
    return tradeoff.of_arms(panels, _reference(experiment)) if panels else ""


def _reference(experiment: reports.Experiment) -> float | None:
    """Returns the relevance of the positives-only arm, where all its variants agree."""
    found = {
        experiment.arms[row.variant][tradeoff.RELEVANCE].mean
        for row in experiment.runs
        if row.arm == reports.REFERENCE_ARM
    }
    return found.pop() if len(found) == 1 else None


def _of_arm(
    experiment: reports.Experiment, variants: Sequence[reports.ExperimentRun], key: str
) -> list[tradeoff.Model]:
    models: dict[tuple[error_bars.Point, error_bars.Point], list[str]] = {}
    for row in variants:
        summary = experiment.arms.get(row.variant, {})
        answer = error_bars.point(summary.get(key))
        relevance = error_bars.point(summary.get(tradeoff.RELEVANCE))
        if None not in (answer.value, relevance.value):
            note = ", ".join(row.swept.values())
            models.setdefault((answer, relevance), []).append(note)
    # An arm that does not read the swept setting has one point, and needs no note.
    return [
        tradeoff.Model(*place, notes[0] if len(notes) == 1 else "")
        for place, notes in models.items()
    ]
