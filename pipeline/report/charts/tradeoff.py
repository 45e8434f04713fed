"""Relevance against responsiveness: what heeding a dislike costs, if anything."""

from __future__ import annotations

from pipeline.report import contents, run_reports
from pipeline.report.charts import svg

_WIDTH_INCH, _HEIGHT_INCH = 9.0, 3.3
_METRIC = "recall@10"


def build(reports: run_reports.RunReports, last_blessed: contents.Decision) -> str:
    """Returns the plot of this model, the one before it, and popularity.

    Popularity knows nothing of the user: its answer to a dislike is 0 by itself.

    Args:
      reports: of the run.
      last_blessed: the verdict on the model before; perhaps an empty one.
    """
    if reports.evaluation is None or reports.responsiveness is None:
        return ""
    key = _leading(reports.responsiveness)
    recall = reports.evaluation.metrics.get(_METRIC)
    if key is None or recall is None or recall.value is None:
        return ""
    popularity = reports.evaluation.baselines.get("popularity")
    points = [
        ("this model", svg.MODEL, "o", reports.responsiveness.effects[key], recall),
        (
            "last blessed model",
            svg.LAST_BLESSED,
            "^",
            last_blessed.figures.responsiveness.get(key),
            last_blessed.figures.metrics.get(_METRIC),
        ),
        (
            "popularity list",
            svg.POPULARITY,
            "s",
            contents.Effect(responsiveness=0.0, low=0.0, high=0.0),
            popularity.metrics.get(_METRIC) if popularity else None,
        ),
    ]
    with svg.style("tradeoff"):
        figure = svg.figure(_WIDTH_INCH, _HEIGHT_INCH)
        axes = figure.subplots()
        axes.axvline(0.0, color=svg.INK, linewidth=1.0)
        for label, colour, marker, effect, relevance in points:
            if effect is None or relevance is None:
                continue
            answer = _spread(effect.responsiveness, effect.low, effect.high, 100.0)
            height = _spread(relevance.value, relevance.low, relevance.high, 1.0)
            if answer is None or height is None:
                continue
            axes.errorbar(
                [answer[0]],
                [height[0]],
                xerr=[[answer[1]], [answer[2]]],
                yerr=[[height[1]], [height[2]]],
                fmt=marker,
                color=colour,
                label=label,
                capsize=3.0,
            )
        axes.set_xlabel(f"answer to a dislike, {key}, %   (left: the model heeds)")
        axes.set_ylabel(f"{_METRIC}   (up: more relevant)")
        axes.set_ylim(bottom=0.0)
        axes.margins(x=0.1)
        figure.legend(loc="outside lower left", ncols=len(points))
        return svg.to_svg(figure, "Relevance against the answer to a dislike")


def _leading(content: contents.Responsiveness) -> str | None:
    measured = [k for k, e in content.effects.items() if e.responsiveness is not None]
    explicit = content.explicit_actions
    leading = [
        key for key in measured if explicit is None or key.partition(".")[2] in explicit
    ]
    order = {"content": 0, "creator": 1}
    return min(
        leading, key=lambda k: (order.get(k.partition(".")[0], 2), k), default=None
    )


def _spread(
    value: float | None, low: float | None, high: float | None, scale: float
) -> tuple[float, float, float] | None:
    """Returns value and the lengths of its bars; None where there is no value."""
    if value is None:
        return None
    below = max(0.0, value - low) if low is not None else 0.0
    above = max(0.0, high - value) if high is not None else 0.0
    return scale * value, scale * below, scale * above
