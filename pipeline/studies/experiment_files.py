"""`experiment.json`, its table and its curve."""

from __future__ import annotations

import pathlib

from pipeline.report.charts import svg
from pipeline.report.sections import tradeoff
from pipeline.studies import experiment_figures
from schema import files, reports

TABLE_FILE = "experiment.md"
CURVE_FILE = "experiment.svg"


def write(folder: pathlib.Path, content: reports.Experiment) -> None:
    """Writes the three files anew.

    Args:
      folder: the experiment's reports.
      content: all runs so far; without a measured answer there is no curve.
    """
    curve = tradeoff.arms_plot(content)
    reports.write(folder / reports.EXPERIMENT_FILE, content)
    if curve:
        files.write_atomically(folder / CURVE_FILE, svg.standalone(curve))
    text = to_markdown(content) + (_CURVE if curve else "")
    files.write_atomically(folder / TABLE_FILE, text)


_CURVE = f"""
![Answer to a dislike beside the slate before, against recall@10]({CURVE_FILE})
"""


def to_markdown(content: reports.Experiment) -> str:
    """Returns the comparison as a table, one row a figure, one column a variant.

    Ratios and metrics come first, then what a user sees beside the slate before. What
    no variant has a value of is named below the table.
    """
    names = dict.fromkeys(name for arm in content.arms.values() for name in arm)
    values = {name: [arm.get(name) for arm in content.arms.values()] for name in names}
    shown = [
        n for n, row in values.items() if any(s and s.mean is not None for s in row)
    ]
    lines = [
        "| | " + " | ".join(content.arms) + " |",
        "|---" * (len(content.arms) + 1) + "|",
        *(
            f"| {name} | " + " | ".join(map(_cell, values[name])) + " |"
            for name in sorted(shown, key=_place)
        ),
        "",
        "Mean over seeds, +- their standard deviation, and in brackets the "
        f"{experiment_figures.CONFIDENCE:.0%} t-interval of the mean. `net`: beside "
        "the slate before; without it: beside the slate after the control action.",
    ]
    lacking = [name for name in names if name not in shown]
    if lacking:
        lines += ["", f"Without a value: {', '.join(sorted(lacking))}."]
    return "\n".join(lines) + "\n"


def _place(name: str) -> int:
    """Returns which group of rows a figure stands in."""
    groups = (" / " in name, name in experiment_figures.METRICS, name.startswith("net"))
    return groups.index(True) if any(groups) else len(groups)


def _cell(entry: reports.Summary | None) -> str:
    if entry is None or entry.mean is None:
        return "-"
    if entry.std is None:
        return f"{entry.mean:.4f}"
    return f"{entry.mean:.4f} +- {entry.std:.4f} ({entry.low:.4f} to {entry.high:.4f})"
