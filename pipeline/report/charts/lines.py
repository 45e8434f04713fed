"""Lines over epochs, over list lengths, and over repeated or bygone dislikes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.report import rank_curve
from pipeline.report.charts import error_bars, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT_INCH = 3.1
_COLOURS = (svg.MODEL, svg.POPULARITY, svg.LAST_BLESSED, svg.DISLIKED)
_MARKERS = ("o", "s", "^", "D")
_LINE_STYLES = ("-", "--")
"""Of the first curves of each colour, and of the second ones."""
_LEGEND_COLUMNS = 4
"""More would be cut off at the page's width."""


def training_curves(
    loss: Mapping[int, float], liked: Mapping[int, float], disliked: Mapping[int, float]
) -> str:
    """Returns the loss, and the validation ranking, over epochs.

    Args:
      loss: epoch to training loss.
      liked: epoch to validation NDCG@10 of liked items.
      disliked: the same of disliked ones.
    """
    with svg.style("training"):
        figure = svg.figure(svg.WIDTH_INCH, _HEIGHT_INCH)
        left, right = figure.subplots(1, 2)
        _over_epochs(left, "Training loss", [("loss", svg.MODEL, "o", loss)])
        _over_epochs(
            right,
            "Validation NDCG@10",
            [
                ("liked items (higher is better)", svg.LIKED, "o", liked),
                ("disliked items (lower is better)", svg.DISLIKED, "s", disliked),
            ],
        )
        # Below the plot: no corner of it is free in every run.
        handles, labels = right.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower right", ncols=2)
        return svg.to_svg(figure, "Training loss and validation NDCG@10 by epoch")


def _over_epochs(
    axes: Axes, title: str, lines: Sequence[tuple[str, str, str, Mapping[int, float]]]
) -> None:
    """Draws lines, each a label, colour, marker, and epoch to value."""
    for label, colour, marker, values in lines:
        axes.plot(
            list(values),
            list(values.values()),
            color=colour,
            marker=marker,
            label=label,
            # A point an epoch drowns a long line.
            markevery=max(1, len(values) // 20),
        )
    epochs = sorted({epoch for line in lines for epoch in line[3]})
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.set_xticks(epochs[:: max(1, len(epochs) // 10)])
    axes.margins(x=0.08, y=0.15)


def rank_curves(curves: Mapping[str, rank_curve.RankCurve]) -> str:
    """Returns the share of liked and disliked targets within the first k.

    Args:
      curves: by polarity of the targets; without any of these, the plot is empty.
    """
    shown = (
        ("positive", "liked items (higher is better)", svg.LIKED, "-"),
        ("negative", "disliked items (lower is better)", svg.DISLIKED, "--"),
    )
    if not any(name in curves and curves[name].num_targets for name, *_ in shown):
        return ""
    with svg.style("ranks"):
        figure = svg.figure(svg.WIDTH_INCH, _HEIGHT_INCH)
        axes = figure.subplots()
        for polarity, label, colour, line_style in shown:
            curve = curves.get(polarity)
            if curve is None or not curve.num_targets:
                continue
            shares = [100.0 * hits / curve.num_targets for hits in curve.found]
            axes.plot(
                range(1, len(shares) + 1),
                shares,
                color=colour,
                linestyle=line_style,
                label=label,
            )
        axes.set_xlabel("first k recommendations")
        axes.set_ylabel("found, %")
        axes.set_xlim(1, rank_curve.LIST_LENGTH)
        axes.set_xticks([1, *range(10, rank_curve.LIST_LENGTH + 1, 10)])
        axes.set_ylim(bottom=0.0)
        figure.legend(loc="outside lower left", ncols=2)
        return svg.to_svg(figure, "Share of held-out items found, by list length")


@dataclasses.dataclass(frozen=True)
class AnswerCurve:
    """The answer to a dislike by one similarity, at several places."""

    label: str
    points: Mapping[int, error_bars.Point]
    """Number of dislikes, or steps after one, to relative change (a share)."""


def dose_and_decay(dose: Sequence[AnswerCurve], decay: Sequence[AnswerCurve]) -> str:
    """Returns both curves side by side; empty where there is neither.

    Args:
      dose: over the number of dislikes.
      decay: over the steps after the dislike.
    """
    if not any(curve.points for curve in (*dose, *decay)):
        return ""
    with svg.style("dose-decay"):
        figure = svg.figure(svg.WIDTH_INCH, 3.6)
        left, right = figure.subplots(1, 2, sharey=True)
        _answers(left, dose, "More dislikes of similar items", "dislikes in a row")
        _answers(right, decay, "How long one dislike lasts", "steps after the dislike")
        left.set_ylabel("change of similar items, %")
        handles, labels = max(
            (axes.get_legend_handles_labels() for axes in (left, right)),
            key=lambda found: len(found[1]),
        )
        columns = min(_LEGEND_COLUMNS, len(labels))
        figure.legend(handles, labels, loc="outside lower left", ncols=columns)
        return svg.to_svg(figure, "Answer by number of dislikes, and over later steps")


def _answers(axes: Axes, curves: Sequence[AnswerCurve], title: str, axis: str) -> None:
    axes.axhline(0.0, color=svg.INK, linewidth=1.0)
    for number, curve in enumerate(curves):
        if curve.points:
            values, lengths = error_bars.lengths(list(curve.points.values()), 100.0)
            axes.errorbar(
                list(curve.points),
                values,
                yerr=lengths,
                color=_COLOURS[number % len(_COLOURS)],
                marker=_MARKERS[number % len(_MARKERS)],
                linestyle=_LINE_STYLES[number // len(_COLOURS) % len(_LINE_STYLES)],
                label=curve.label,
                capsize=2.5,
                elinewidth=1.2,
            )
    axes.set_title(title)
    axes.set_xlabel(axis)
    places = sorted({place for curve in curves for place in curve.points})
    if places:
        axes.set_xticks(places)
    else:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center")
