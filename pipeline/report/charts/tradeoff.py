"""Relevance against the answer to a dislike: what heeding one costs, if anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    """Relative change of similar items after a dislike, a share."""
    relevance: error_bars.Point
    note: str = ""
    """Stands beside the point."""


def of_models(models: Mapping[str, Model], effect: str) -> str:
    """Returns the plot of this model and of those that it is compared with.

    Args:
      models: `this model`, `last blessed model` or `popularity list` to its point.
      effect: `SIMILARITY.ACTION` that the answers are about.
    """
    looks = {
        "this model": (svg.MODEL, "o"),
        "last blessed model": (svg.LAST_BLESSED, "^"),
        "popularity list": (svg.POPULARITY, "s"),
    }
    with svg.style("tradeoff"):
        figure = svg.figure(svg.WIDTH_INCH, 3.3)
        axes = figure.subplots()
        axes.axvline(0.0, color=svg.INK, linewidth=1.0)
        for label, model in models.items():
            colour, marker = looks[label]
            _draw(axes, [model], label=label, color=colour, fmt=marker, capsize=3.0)
        axes.set_xlabel(f"answer to a dislike, {effect}, %   (left: the model heeds)")
        axes.set_ylabel(f"{RELEVANCE}   (up: more relevant)")
        axes.set_ylim(bottom=0.0)
        axes.margins(x=0.1)
        figure.legend(loc="outside lower left", ncols=len(looks))
        return svg.to_svg(figure, "Relevance against the answer to a dislike")


def of_arms(panels: Mapping[str, Mapping[str, Sequence[Model]]]) -> str:
    """Returns the plot of an experiment.

    Args:
      panels: `SIMILARITY.ACTION` to arm to its models, joined in their order; arms
        are the same in each panel, and one without models is left out.
    """
    with svg.style("control"):
        figure = svg.figure(svg.WIDTH_INCH, 3.6)
        grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (effect, arms) in zip(grid, panels.items(), strict=True):
            axes.axvline(0.0, color=svg.INK, linewidth=1.0)
            for number, (arm, models) in enumerate(arms.items()):
                if models:
                    _draw(
                        axes,
                        models,
                        label=arm,
                        color=_COLOURS[number % len(_COLOURS)],
                        marker=_MARKERS[number % len(_MARKERS)],
                        capsize=2.5,
                        linewidth=1.2,
                    )
            axes.set_title(effect)
            axes.set_xlabel("change of similar items, %")
            axes.margins(x=0.12, y=0.2)
        grid[0].set_ylabel(f"{RELEVANCE}   (up: more relevant)")
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
        return svg.to_svg(figure, "Relevance against the answer to a dislike, by arm")


def _draw(axes: Axes, models: Sequence[Model], **style: Any) -> None:
    """Draws models with both their intervals; `style` is of `Axes.errorbar`."""
    answers, across = error_bars.lengths([m.answer for m in models], 100.0)
    relevance, along = error_bars.lengths([m.relevance for m in models])
    axes.errorbar(answers, relevance, xerr=across, yerr=along, **style)
    for model, x, y in zip(models, answers, relevance, strict=True):
        if model.note:
            axes.annotate(
                model.note,
                (x, y),
                textcoords="offset points",
                xytext=(5, 4),
                fontsize=8.0,
            )
