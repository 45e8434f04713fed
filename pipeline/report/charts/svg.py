"""Turns a matplotlib figure into SVG that lives inside a page.

Text stays text, so that it can be searched and takes the page's font. Colours are the
page's CSS variables, so that plots follow it into dark mode and onto paper. Nothing
depends on the time, on the process or on other figures of the page.
"""

from __future__ import annotations

import contextlib
import io
import pathlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_INCH = 9.0
"""Of every figure: the width of the page."""
INK, MUTED, GRID = "#000001", "#000002", "#000003"
MODEL, POPULARITY, LAST_BLESSED = "#000004", "#000005", "#000006"
LIKED, DISLIKED = "#000007", "#000008"
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    MODEL: "--model",
    POPULARITY: "--popularity",
    LAST_BLESSED: "--last-blessed",
    LIKED: "--liked",
    DISLIKED: "--disliked",
}
"""Stand-ins that matplotlib accepts, and what replaces them in the SVG."""
_STYLE_SHEET = pathlib.Path(__file__).parents[1] / "report.css"
_NAMESPACE = "http://www.w3.org/2000/svg"

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6.0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.unicode_minus": True,
}


@contextlib.contextmanager
def style(salt: str) -> Iterator[None]:
    """Sets matplotlib's style within the block, whatever the user's own says.

    Args:
      salt: differs between the figures of a page, so that their ids do.
    """
    import matplotlib

    defaults = {
        key: value
        for key, value in matplotlib.rcParamsDefault.items()
        if not key.startswith(("backend", "interactive"))
    }
    with matplotlib.rc_context({**defaults, **_STYLE, "svg.hashsalt": salt}):
        yield


def figure(width_inch: float, height_inch: float) -> Figure:
    """Returns an empty figure that belongs to no window and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inch, height_inch), layout="constrained")


def to_svg(drawn: Figure, title: str) -> str:
    """Returns the figure as an `<svg>` element.

    Args:
      drawn: to be called within `style`.
      title: says what is seen, for those who cannot see it.
    """
    from xml.sax import saxutils

    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(drawn)
    buffer = io.StringIO()
    drawn.savefig(buffer, format="svg", transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # The metadata hold the time and the program.
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Ids of groups count from 1 in each figure, would repeat, and nothing uses them.
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'<svg[^>]*? viewBox="([^"]*)"[^>]*>', _opening(title), text, count=1)
    text = text.replace("xlink:href", "href")
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    title_element = f"<title>{saxutils.escape(title)}</title>"
    return text.replace(">", f">\n {title_element}", 1)


def standalone(element: str) -> str:
    """Returns the text of a file of its own, in the page's colours.

    Args:
      element: an `<svg>` of `to_svg`.
    """
    style = _STYLE_SHEET.read_text(encoding="utf-8")
    own = f"{style}svg {{ background: var(--paper); }}\n"
    head = f"<svg xmlns={_NAMESPACE!r}".replace("'", '"')
    text = element.replace("<svg", head, 1)
    return text.replace("</title>", f"</title>\n<style>\n{own}</style>", 1) + "\n"


def _opening(title: str) -> str:
    from xml.sax import saxutils

    label = saxutils.quoteattr(title).replace("\\", r"\\")
    return rf'<svg viewBox="\1" role="img" aria-label={label}>'
