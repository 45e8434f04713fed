"""Relevance against the answer to a dislike: what heeding one costs, if anything."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.report.charts import error_bars, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RELEVANCE = "recall@10"
"""The metric of the vertical axis."""
_COLOURS = (svg.MODEL, svg.POPULARITY, svg.LAST_BLESSED, svg.LIKED, svg.DISLIKED)
_MARKERS = ("o", "s", "^", "D", "v")


@dataclasses.dataclass(frozen=True)
class Model:
    """A point of the plot."""

    answer: error_bars.Point
    """Relative change of similar items beside the slate before, a share."""
    relevance: error_bars.Point
    note: str = ""
    """Stands beside the point."""


def of_arms(
    panels: Mapping[str, Mapping[str, Sequence[Model]]], reference: float | None = None
) -> str:
    """Returns the plot of an experiment.

    Args:
      panels: title to arm to its models, joined in their order; arms are the same in
        each panel, and one without models is left out.
      reference: relevance of the positives-only arm, which the axis on the right is
        relative to; None: there is no such axis.
    """
    with svg.style("control"):
        figure = svg.figure(svg.WIDTH_INCH, 3.8)
        grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (title, arms) in zip(grid, panels.items(), strict=True):
            axes.axvline(0.0, color=svg.INK, linewidth=1.0)
            for number, (arm, models) in enumerate(arms.items()):
                if models:
                    _draw(axes, arm, models, number)
            axes.set_title(title)
            axes.set_xlabel("change beside the slate before, %")
            axes.margins(x=0.12, y=0.2)
        grid[0].set_ylabel(f"{RELEVANCE}   (up: more relevant)")
        if reference:
            _add_ratio_axis(grid[-1], reference)
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
        return svg.to_svg(figure, "Relevance against the answer to a dislike, by arm")


def _add_ratio_axis(axes: Axes, reference: float) -> None:
    to_ratio = functools.partial(operator.mul, 1.0 / reference)
    from_ratio = functools.partial(operator.mul, reference)
    ratio = axes.secondary_yaxis("right", functions=(to_ratio, from_ratio))
    ratio.set_ylabel("relative to positives only")


def _draw(axes: Axes, arm: str, models: Sequence[Model], number: int) -> None:
    """Draws one arm's models with both their intervals."""
    answers, across = error_bars.lengths([m.answer for m in models], 100.0)
    relevance, along = error_bars.lengths([m.relevance for m in models])
    axes.errorbar(
        answers,
        relevance,
        xerr=across,
        yerr=along,
        label=arm,
        color=_COLOURS[number % len(_COLOURS)],
        marker=_MARKERS[number % len(_MARKERS)],
        capsize=2.5,
        linewidth=1.2,
    )
    for model, x, y in zip(models, answers, relevance, strict=True):
        if model.note:
            axes.annotate(
                model.note,
                (x, y),
                textcoords="offset points",
                xytext=(5, 4),
                fontsize=8.0,
            )
