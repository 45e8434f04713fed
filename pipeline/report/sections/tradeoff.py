"""What heeding a dislike costs in relevance: of this model, and of an experiment."""

from __future__ import annotations

import dataclasses
import statistics

from pipeline.report import run_reports
from pipeline.report.charts import error_bars, tradeoff
from pipeline.report.sections import responsiveness
from schema import reports

_KINDS = ("content", "creator", "cooccurrence")
"""Similarities that an experiment's plot has a panel of."""


@dataclasses.dataclass(frozen=True)
class Tradeoff:
    """Both plots; empty where there is nothing to draw."""

    models_plot: str
    arms_plot: str


def build(run: run_reports.RunReports, last_blessed: reports.Decision) -> Tradeoff:
    """Returns the plots.

    Args:
      run: the reports.
      last_blessed: the verdict on the model before; perhaps an empty one.
    """
    return Tradeoff(models_plot(run, last_blessed), arms_plot(run.experiment))


def models_plot(run: run_reports.RunReports, last_blessed: reports.Decision) -> str:
    """Returns the plot of this model, the one before it, and popularity.

    Popularity knows nothing of the user: its answer to a dislike is 0 by itself.
    """
    if run.evaluation is None or run.responsiveness is None:
        return ""
    leading = _leading(run.responsiveness)
    if leading is None or _relevance(run.evaluation.metrics).value is None:
        return ""
    similarity, action = leading
    own = run.responsiveness.effects[similarity][action]
    before = last_blessed.figures.responsiveness.get(similarity, {}).get(action)
    popularity = run.evaluation.baselines.get("popularity", reports.Baseline())
    models = {
        "this model": (error_bars.point(own), run.evaluation.metrics),
        "last blessed model": (error_bars.point(before), last_blessed.figures.metrics),
        "popularity list": (error_bars.Point(0.0, 0.0, 0.0), popularity.metrics),
    }
    return tradeoff.of_models(
        {
            label: tradeoff.Model(answer, _relevance(metrics))
            for label, (answer, metrics) in models.items()
            if None not in (answer.value, _relevance(metrics).value)
        },
        f"{similarity}.{action}",
    )


def _relevance(metrics: reports.Metrics) -> error_bars.Point:
    return error_bars.point(metrics.get(tradeoff.RELEVANCE))


def _leading(content: reports.Responsiveness) -> responsiveness.Pair | None:
    """Returns the measured effect of a stated dislike that the plot is about."""
    measured = [
        (similarity, action)
        for similarity, action in responsiveness.pairs(content)
        if content.effects[similarity][action].responsiveness is not None
        and (content.explicit_actions is None or action in content.explicit_actions)
    ]
    order = {"content": 0, "creator": 1}
    return min(measured, key=lambda p: (order.get(p[0], 2), p), default=None)


def arms_plot(experiment: reports.Experiment | None) -> str:
    """Returns relevance against the answer to a dislike, a panel a similarity.

    Variants of one arm are joined in the order in which they were swept. Bars are one
    standard deviation over seeds, where there are several.

    Args:
      experiment: `experiment.json`; None: no experiment was made.
    """
    runs = experiment.runs if experiment else ()
    effects = [
        effect
        for effect in (f"{kind}.dislike" for kind in _KINDS)
        if any(row.figures.get(effect) is not None for row in runs)
    ]
    if not effects:
        return ""
    by_arm = {
        arm: [row for row in runs if row.arm == arm]
        for arm in dict.fromkeys(row.arm for row in runs)
    }
    return tradeoff.of_arms(
        {
            effect: {arm: _of_arm(rows, effect) for arm, rows in by_arm.items()}
            for effect in effects
        }
    )


def _of_arm(rows: list[reports.ExperimentRun], effect: str) -> list[tradeoff.Model]:
    models = []
    for variant in dict.fromkeys(row.variant for row in rows):
        seeds = [row for row in rows if row.variant == variant]
        answer = _over_seeds([row.figures.get(effect) for row in seeds])
        relevance = _over_seeds([row.figures.get(tradeoff.RELEVANCE) for row in seeds])
        if answer is not None and relevance is not None:
            swept = ", ".join(seeds[0].swept.values())
            models.append(tradeoff.Model(answer, relevance, swept))
    return models


def _over_seeds(values: list[float | None]) -> error_bars.Point | None:
    """Returns the mean, one standard deviation to each side; None without values."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = statistics.fmean(known)
    deviation = statistics.stdev(known) if len(known) > 1 else 0.0
    return error_bars.Point(mean, mean - deviation, mean + deviation)
