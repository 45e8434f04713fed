"""What one run of an experiment came to, and its summary over seeds."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special

from schema import reports

METRICS = (
    "recall@10",
    "ndcg@10",
    "negative_recall@10",
    "negative_ndcg@10",
    "delta_ndcg@10",
)
CONFIDENCE = 0.95
"""Of the interval of a mean over seeds."""
_RATIOS = ("recall@10", "ndcg@10", "negative_recall@10")
_PERSISTENCE = "events:5"
"""What is left of the answer five events later, as the gate asks."""

Figures = dict[str, int | float | None]
"""What one run came to, by name; see `read`."""


def read(folder: pathlib.Path) -> tuple[Figures, str | None]:
    """Returns what a run's reports say, and the dislike that they are mostly about.

    `SIMILARITY.ACTION` is the change beside the control, as the paper compares, and
    `net.SIMILARITY.ACTION` beside the slate before. `net.SIMILARITY.events:5` is what
    is left of it five events later, `net.collateral.SIMILARITY` the change of other
    things that the user likes, `kept.ACTION` the share of the slate before that stays.

    Args:
      folder: with the reports of a finished run.
    """

    def content(name: str, kind: type[reports.ReportT]) -> reports.ReportT:
        return reports.read_existing(folder / name, kind)

    evaluation = content(reports.EVALUATION_FILE, reports.Evaluation)
    responsiveness = content(reports.RESPONSIVENESS_FILE, reports.Responsiveness)
    promotion = content(reports.PROMOTION_FILE, reports.Promotion)
    history = content(reports.TRAINING_FILE, reports.TrainingHistory).root
    # The last record has what the avoidance path took after the epochs.
    seconds = sum(
        (record.get(key) or 0.0)
        for record in history
        for key in ("seconds", "avoidance_seconds")
    )
    figures: Figures = {
        **{name: evaluation.metrics[name].value for name in METRICS},
        **_answers(responsiveness),
        "blessed": float(promotion.blessed),
        "epochs": len(history),
        "training_sec": round(seconds, 1),
    }
    return figures, responsiveness.primary_action


def _answers(content: reports.Responsiveness) -> Figures:
    found: Figures = {}
    for similarity, by_action in sorted(content.effects.items()):
        for action, effect in sorted(by_action.items()):
            key = reports.effect_key(similarity, action)
            found[key] = effect.responsiveness
            found[reports.net_key(similarity, action)] = effect.net_responsiveness
    for similarity, effect in sorted(content.persistence.get(_PERSISTENCE, {}).items()):
        found[reports.net_key(similarity, _PERSISTENCE)] = effect.net_responsiveness
    for similarity, effect in sorted(content.collateral.items()):
        found[reports.net_key("collateral", similarity)] = effect.net_responsiveness
    for after in (content.primary_action, _PERSISTENCE):
        if after in content.kept:
            found[f"kept.{after}"] = content.kept[after].of_before
    return found


def summarised(rows: Sequence[reports.ExperimentRun]) -> reports.Experiment:
    """Returns `runs` and their summary by variant; see `experiment.compare`."""
    reference = {
        _conditions(r): r.figures for r in rows if r.arm == reports.REFERENCE_ARM
    }
    told: dict[str, list[Figures]] = {}
    for row in rows:
        ratios: Figures = {}
        if row.arm != reports.REFERENCE_ARM:
            ratios = _ratios(row.figures, reference.get(_conditions(row), {}))
        told.setdefault(row.variant, []).append({**row.figures, **ratios})
    return reports.Experiment(
        runs=tuple(rows),
        arms={label: summarise(figures) for label, figures in told.items()},
    )


def _conditions(row: reports.ExperimentRun) -> tuple[Any, ...]:
    """Returns what two arms must share to be compared."""
    return (row.seed, *sorted(row.swept.items()))


def _ratios(figures: Figures, reference: Figures) -> Figures:
    return {
        f"{name} / {reports.REFERENCE_ARM}": value / beside
        for name in _RATIOS
        if (value := figures[name]) is not None and (beside := reference.get(name))
    }


def summarise(rows: Sequence[Figures]) -> dict[str, reports.Summary]:
    """Returns mean, deviation and the mean's interval over the seeds of one variant.

    Example:
      >>> summarise([{"x": 1.0}])["x"].mean
      1.0
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _summary([row.get(name) for row in rows]) for name in names}


def _summary(values: Sequence[float | None]) -> reports.Summary:
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return reports.Summary(mean=None, std=None, seeds=0)
    mean = float(known.mean())
    if len(known) == 1:
        return reports.Summary(mean=mean, std=None, seeds=1)
    std = float(known.std(ddof=1))
    # Student's t: few seeds, and their deviation is not known beforehand.
    quantile = scipy.special.stdtrit(len(known) - 1, (1.0 + CONFIDENCE) / 2.0)
    reach = float(quantile) * std / len(known) ** 0.5
    return reports.Summary(
        mean=mean, std=std, low=mean - reach, high=mean + reach, seeds=len(known)
    )
