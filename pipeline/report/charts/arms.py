"""What user control costs: the arms and settings of `heed experiment` in one plot."""

from __future__ import annotations

import math
from typing import Any

from pipeline.report import contents
from pipeline.report.charts import svg

_WIDTH_INCH, _HEIGHT_INCH = 9.0, 3.6
_RELEVANCE = "recall@10"
_KINDS = ("content", "creator", "cooccurrence")
_COLOURS = (svg.MODEL, svg.POPULARITY, svg.LAST_BLESSED, svg.LIKED, svg.DISLIKED)
_MARKERS = ("o", "s", "^", "D", "v")


def build(experiment: contents.Experiment | None) -> str:
    """Returns relevance against the answer to a dislike, a panel a similarity.

    Variants of one arm are joined in the order in which they were swept. Bars are one
    standard deviation over seeds, where there are several.

    Args:
      experiment: `experiment.json`; None: no experiment was made.
    """
    if experiment is None:
        return ""
    keys = [
        key
        for kind in _KINDS
        for key in sorted({name for row in experiment.runs for name in row.figures})
        if key == f"{kind}.dislike"
        and any(row.figures[key] is not None for row in experiment.runs)
    ]
    if not keys:
        return ""
    arms = list(dict.fromkeys(row.arm for row in experiment.runs))
    with svg.style("control"):
        figure = svg.figure(_WIDTH_INCH, _HEIGHT_INCH)
        panels = figure.subplots(1, len(keys), squeeze=False, sharey=True)[0]
        for axes, key in zip(panels, keys, strict=True):
            axes.axvline(0.0, color=svg.INK, linewidth=1.0)
            for number, arm in enumerate(arms):
                _draw(axes, experiment, arm, key, number)
            axes.set_title(key)
            axes.set_xlabel("change of similar items, %")
            axes.margins(x=0.12, y=0.2)
        panels[0].set_ylabel(f"{_RELEVANCE}   (up: more relevant)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
        return svg.to_svg(figure, "Relevance against the answer to a dislike, by arm")


def _draw(
    axes: Any, experiment: contents.Experiment, arm: str, key: str, number: int
) -> None:
    colour = _COLOURS[number % len(_COLOURS)]
    points = []
    for label in dict.fromkeys(r.variant for r in experiment.runs if r.arm == arm):
        rows = [row for row in experiment.runs if row.variant == label]
        answer = _spread([row.figures.get(key) for row in rows], 100.0)
        relevance = _spread([row.figures.get(_RELEVANCE) for row in rows], 1.0)
        if answer is not None and relevance is not None:
            points.append((answer, relevance, ", ".join(rows[0].swept.values())))
    if not points:
        return
    axes.errorbar(
        [answer[0] for answer, _, _ in points],
        [relevance[0] for _, relevance, _ in points],
        xerr=[answer[1] for answer, _, _ in points],
        yerr=[relevance[1] for _, relevance, _ in points],
        color=colour,
        marker=_MARKERS[number % len(_MARKERS)],
        label=arm,
        capsize=2.5,
        linewidth=1.2,
    )
    for answer, relevance, swept in points:
        axes.annotate(
            swept,
            (answer[0], relevance[0]),
            textcoords="offset points",
            xytext=(5, 4),
            fontsize=8.0,
        )


def _spread(values: list[float | None], scale: float) -> tuple[float, float] | None:
    """Returns mean and standard deviation (0 of one value); None without values."""
    known = [scale * value for value in values if value is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    if len(known) == 1:
        return mean, 0.0
    variance = sum((value - mean) ** 2 for value in known) / (len(known) - 1)
    return mean, math.sqrt(variance)
