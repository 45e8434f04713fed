"""Curves of the answer to a dislike: over doses, and over the following steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.report.charts import svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_INCH, _HEIGHT_INCH = 9.0, 3.3
_COLOURS = (svg.MODEL, svg.POPULARITY, svg.LAST_BLESSED, svg.DISLIKED)
_MARKERS = ("o", "s", "^", "D")


@dataclasses.dataclass(frozen=True)
class Curve:
    """One similarity's points."""

    label: str
    points: tuple[tuple[int, float, float | None, float | None], ...]
    """Place, value, low, high; relative changes as shares."""


def dose_and_decay(dose: Sequence[Curve], decay: Sequence[Curve]) -> str:
    """Returns both curves side by side; empty where there is neither.

    Args:
      dose: over the number of dislikes.
      decay: over the steps after the dislike.
    """
    if not any(curve.points for curve in (*dose, *decay)):
        return ""
    with svg.style("dose-decay"):
        figure = svg.figure(_WIDTH_INCH, _HEIGHT_INCH)
        left, right = figure.subplots(1, 2, sharey=True)
        _draw(left, dose, "More dislikes of similar items", "dislikes in a row")
        _draw(right, decay, "How long one dislike lasts", "steps after the dislike")
        left.set_ylabel("change of similar items, %")
        handles, labels = max(
            (axes.get_legend_handles_labels() for axes in (left, right)),
            key=lambda found: len(found[1]),
        )
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
        return svg.to_svg(figure, "Answer by number of dislikes, and over later steps")


def _draw(axes: Axes, curves: Sequence[Curve], title: str, axis: str) -> None:
    axes.axhline(0.0, color=svg.INK, linewidth=1.0)
    places: set[int] = set()
    for number, curve in enumerate(curves):
        if not curve.points:
            continue
        place, value, low, high = zip(*curve.points, strict=True)
        places |= set(place)
        colour = _COLOURS[number % len(_COLOURS)]
        centre = [100.0 * v for v in value]
        below = [max(0.0, v - 100.0 * (e if e is not None else v / 100.0))
                 for v, e in zip(centre, low, strict=True)]  # fmt: skip
        above = [max(0.0, 100.0 * (e if e is not None else v / 100.0) - v)
                 for v, e in zip(centre, high, strict=True)]  # fmt: skip
        axes.errorbar(
            place,
            centre,
            yerr=[below, above],
            color=colour,
            marker=_MARKERS[number % len(_MARKERS)],
            label=curve.label,
            capsize=2.5,
            elinewidth=1.2,
        )
    axes.set_title(title)
    axes.set_xlabel(axis)
    if places:
        axes.set_xticks(sorted(places))
    else:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center")
