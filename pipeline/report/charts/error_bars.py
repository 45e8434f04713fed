"""Figures with their intervals, a row each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipeline.report.charts import svg
from schema import reports

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_ROW_INCH = 0.46
"""Height of one row."""
_OWN = "this model"


class Point(NamedTuple):
    """A figure with its interval; None is not drawn."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def point(figure: reports.WithInterval | None) -> Point:
    """Returns the point of a report's figure; an empty one where there is none."""
    if figure is None:
        return Point()
    return Point(getattr(figure, figure.FIGURE), figure.low, figure.high)


@dataclasses.dataclass(frozen=True)
class Series:
    """One model's row of points: what stands in the legend, and how it is drawn."""

    points: tuple[Point, ...]
    """One for each row of the plot."""
    label: str = _OWN
    colour: str = svg.MODEL
    marker: str = "o"


@dataclasses.dataclass(frozen=True)
class Panel:
    """One of several plots side by side, sharing nothing but the figure."""

    title: str
    axis: str
    rows: tuple[str, ...]
    series: tuple[Series, ...]
    scale: float = 1.0
    """Multiplies the values; 100 for percent."""
    zero_line: bool = False


def side_by_side(panels: Sequence[Panel], title: str, salt: str) -> str:
    """Returns horizontal error-bar plots side by side, with one legend below.

    Args:
      panels: of a figure hold the same series or fewer; none: the plot is empty.
      title: says what is seen.
      salt: unique among the figures of the page.
    """
    if not panels:
        return ""
    rows = max(len(panel.rows) for panel in panels)
    most = max(len(panel.series) for panel in panels)
    with svg.style(salt):
        height = rows * _ROW_INCH * (1.0 + 0.25 * (most - 1)) + 1.15
        figure = svg.figure(svg.WIDTH_INCH, height)
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
    _draw_rows(axes, panel.series, panel.scale)
    if panel.zero_line:
        axes.axvline(0.0, color=svg.INK, linewidth=1.0)
    axes.set_title(panel.title)
    axes.set_xlabel(panel.axis)
    _set_rows(axes, panel.rows)
    axes.locator_params(axis="x", nbins=6)
    if not panel.zero_line:
        axes.set_xlim(left=0.0)


def _draw_rows(axes: Axes, drawn: Sequence[Series], scale: float) -> None:
    """Draws the series of a row below one another, the first on top."""
    step = 0.5 / max(1, len(drawn))
    for index, series in enumerate(drawn):
        _draw_series(axes, series, scale, (index - (len(drawn) - 1) / 2.0) * step)


def _draw_series(axes: Axes, series: Series, scale: float, offset: float) -> None:
    """Draws one point with its interval a row; the legend has it in any case."""
    drawn = [(n, p) for n, p in enumerate(series.points) if p.value is not None]
    values, bars = lengths([p for _, p in drawn], scale)
    axes.errorbar(
        values,
        [row + offset for row, _ in drawn],
        xerr=bars,
        fmt=series.marker,
        color=series.colour,
        label=series.label,
        capsize=3.0,
        elinewidth=1.6,
    )


def lengths(
    points: Sequence[Point], scale: float = 1.0
) -> tuple[list[float], tuple[list[float], list[float]]]:
    """Returns the values, and how far the bars reach below and above them.

    Args:
      points: all with a value; without an end, the bar has no length there.
      scale: multiplies all of them.
    """
    values = [scale * (p.value or 0.0) for p in points]
    # A percentile interval need not hold its value; a length below 0 is no bar.
    below = [
        max(0.0, v - scale * p.low) if p.low is not None else 0.0
        for v, p in zip(values, points, strict=True)
    ]
    above = [
        max(0.0, scale * p.high - v) if p.high is not None else 0.0
        for v, p in zip(values, points, strict=True)
    ]
    return values, (below, above)


def _set_rows(axes: Axes, rows: Sequence[str]) -> None:
    """Labels the rows, the first on top."""
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def responsiveness(
    rows: Sequence[str],
    series: Sequence[Series],
    references: Sequence[tuple[str, str, Mapping[int, float]]],
) -> str:
    """Returns the responsiveness in percent, beside published figures.

    Args:
      rows: label of each similarity and treatment.
      series: relative changes, shares; the leading one first.
      references: label, marker, and row to published change in percent.
    """
    with svg.style("responsiveness"):
        figure = svg.figure(svg.WIDTH_INCH, len(rows) * 0.62 + 1.5)
        axes = figure.subplots()
        axes.axvline(0.0, color=svg.INK, linewidth=1.0)
        _draw_rows(axes, series, 100.0)
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
        _set_rows(axes, rows)
        axes.margins(x=0.08)
        axes.set_xlabel(
            "change of similar recommendations, %   (left of 0: the model heeds)"
        )
        handles, labels = axes.get_legend_handles_labels()
        # Error bars come last of their own accord; what was measured comes first.
        first = [one.label for one in series]
        entries = sorted(
            zip(labels, handles, strict=True),
            key=lambda entry: [*first, entry[0]].index(entry[0]),
        )
        figure.legend(
            [handle for _, handle in entries],
            [label for label, _ in entries],
            loc="outside lower left",
            ncols=min(3, len(labels)),
        )
        return svg.to_svg(figure, "Responsiveness by similarity and treatment")
