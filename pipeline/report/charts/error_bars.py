"""The plots of the report; each returns an `<svg>` element."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.report import contents, rank_curve
from pipeline.report.charts import svg

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_WIDTH_INCH = 9.0
_ROW_INCH = 0.46
"""Height of one row of an error-bar plot."""
_OWN = "this model"
_BEFORE = "last blessed model"


@dataclasses.dataclass(frozen=True)
class Series:
    """One model's row of points: what stands in the legend, and how it is drawn."""

    label: str
    colour: str
    marker: str
    points: tuple[contents.Interval, ...]
    """One point for each row of the plot; a value that is None is not drawn."""


@dataclasses.dataclass(frozen=True)
class Panel:
    """One of several error-bar plots side by side, sharing nothing but the figure."""

    title: str
    axis: str
    rows: tuple[str, ...]
    series: tuple[Series, ...]
    scale: float = 1.0
    """Multiplies the values; 100 for percent."""
    zero_line: bool = False


def line_panel(
    axes: Axes, title: str, lines: Sequence[tuple[str, str, str, Mapping[int, float]]]
) -> None:
    """Draws lines over epochs.

    Args:
      axes: where to.
      title: of the panel.
      lines: label, colour, marker, and epoch to value.
    """
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


def training_curves(
    loss: Mapping[int, float], liked: Mapping[int, float], disliked: Mapping[int, float]
) -> str:
    """Returns the loss, and the validation ranking, over epochs."""
    with svg.style("training"):
        figure = svg.figure(_WIDTH_INCH, 3.1)
        left, right = figure.subplots(1, 2)
        line_panel(left, "Training loss", [("loss", svg.MODEL, "o", loss)])
        line_panel(
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


def error_bars(panels: Sequence[Panel], title: str, salt: str) -> str:
    """Returns horizontal error-bar plots side by side, with one legend below.

    Args:
      panels: at least one; panels of a figure hold the same series or fewer.
      title: says what is seen.
      salt: unique among the figures of the page.
    """
    rows = max(len(panel.rows) for panel in panels)
    most = max(len(panel.series) for panel in panels)
    with svg.style(salt):
        height = rows * _ROW_INCH * (1.0 + 0.25 * (most - 1)) + 1.15
        figure = svg.figure(_WIDTH_INCH, height)
        grid = figure.subplots(1, len(panels), squeeze=False)
        for axes, panel in zip(grid[0], panels, strict=True):
            _draw_panel(axes, panel)
        entries: dict[str, Artist] = {}
        for axes in grid[0]:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                entries.setdefault(label, handle)
        if len(entries) > 1:
            figure.legend(
                list(entries.values()),
                list(entries),
                loc="outside lower left",
                ncols=len(entries),
            )
        return svg.to_svg(figure, title)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    step = 0.5 / max(1, len(panel.series))
    for index, series in enumerate(panel.series):
        offset = (index - (len(panel.series) - 1) / 2.0) * step
        draw_points(axes, series, panel.scale, offset)
    if panel.zero_line:
        axes.axvline(0.0, color=svg.INK, linewidth=1.0)
    axes.set_title(panel.title)
    axes.set_xlabel(panel.axis)
    set_rows(axes, panel.rows)
    axes.locator_params(axis="x", nbins=6)
    if not panel.zero_line:
        axes.set_xlim(left=0.0)


def draw_points(axes: Axes, series: Series, scale: float, offset: float) -> None:
    """Draws a series, one point with its interval a row; legend entry in any case."""
    drawn = [
        (row + offset, point)
        for row, point in enumerate(series.points)
        if point.value is not None
    ]
    values = [(point.value or 0.0) * scale for _, point in drawn]
    # A percentile interval need not hold its value; a length below 0 is no bar.
    below = [
        max(0.0, v - p.low * scale) if p.low is not None else 0.0
        for v, (_, p) in zip(values, drawn, strict=True)
    ]
    above = [
        max(0.0, p.high * scale - v) if p.high is not None else 0.0
        for v, (_, p) in zip(values, drawn, strict=True)
    ]
    axes.errorbar(
        values,
        [height for height, _ in drawn],
        xerr=[below, above],
        fmt=series.marker,
        color=series.colour,
        label=series.label,
        capsize=3.0,
        elinewidth=1.6,
    )


def _legend_place(label: str) -> int:
    return (_OWN, _BEFORE, label).index(label)


def set_rows(axes: Axes, rows: Sequence[str]) -> None:
    """Labels the rows of an error-bar plot, the first on top."""
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def rank_curves(curves: Mapping[str, rank_curve.RankCurve]) -> str:
    """Returns the share of liked and disliked targets within the first k."""
    shown = (
        ("positive", "liked items (higher is better)", svg.LIKED, "-"),
        ("negative", "disliked items (lower is better)", svg.DISLIKED, "--"),
    )
    with svg.style("ranks"):
        figure = svg.figure(_WIDTH_INCH, 3.1)
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


def responsiveness(
    rows: Sequence[str],
    points: Sequence[contents.Interval],
    references: Sequence[tuple[str, str, Mapping[int, float]]],
    last_blessed: Sequence[contents.Interval] | None = None,
) -> str:
    """Returns the responsiveness in percent, beside published figures.

    Args:
      rows: label of each similarity and treatment.
      points: their relative changes, shares.
      references: label, marker, and row to published change in percent.
      last_blessed: the same as `points` of the last blessed model; None: there is none.
    """
    with svg.style("responsiveness"):
        figure = svg.figure(_WIDTH_INCH, len(rows) * 0.62 + 1.25)
        axes = figure.subplots()
        axes.axvline(0.0, color=svg.INK, linewidth=1.0)
        offset = 0.12 if last_blessed is not None else 0.0
        own = Series(_OWN, svg.MODEL, "o", tuple(points))
        draw_points(axes, own, 100.0, -offset)
        if last_blessed is not None:
            before = Series(_BEFORE, svg.LAST_BLESSED, "^", tuple(last_blessed))
            draw_points(axes, before, 100.0, offset)
        for label, marker, by_row in references:
            axes.plot(
                list(by_row.values()),
                list(by_row),
                linestyle="none",
                marker=marker,
                markerfacecolor="none",
                markeredgewidth=1.4,
                markersize=8.0,
                color=svg.MUTED,
                label=label,
            )
        set_rows(axes, rows)
        axes.margins(x=0.08)
        axes.set_xlabel(
            "change of similar recommendations, %   (left of 0: the model heeds)"
        )
        handles, labels = axes.get_legend_handles_labels()
        # Error bars come last of their own accord; what was measured comes first.
        order = sorted(range(len(labels)), key=lambda i: _legend_place(labels[i]))
        figure.legend(
            [handles[i] for i in order],
            [labels[i] for i in order],
            loc="outside lower left",
            ncols=min(3, len(labels)),
        )
        return svg.to_svg(figure, "Responsiveness by similarity and treatment")
