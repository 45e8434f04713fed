"""A table of `benchmarks/results`: see its README for the form."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence

from schema import files, reports


def percent(figure: reports.Summary | None) -> str:
    """Returns a change in percent with the interval of its mean."""
    return _with_interval(figure, lambda value: f"{100 * value:+.0f}", " %")


def ratio(figure: reports.Summary | None) -> str:
    """Returns a ratio or a share with the interval of its mean."""
    return _with_interval(figure, lambda value: f"{value:.3f}")


def _with_interval(
    figure: reports.Summary | None, form: Callable[[float], str], unit: str = ""
) -> str:
    if figure is None or figure.mean is None:
        return "-"
    text = form(figure.mean) + unit
    if figure.low is None or figure.high is None:
        return text
    return f"{text} ({form(figure.low)} .. {form(figure.high)})"


def write(
    title: str,
    says: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str],
    path: pathlib.Path | None,
) -> None:
    """Prints a table, and writes it with what was run, where and when.

    Args:
      title: heading.
      says: what it answers.
      columns: headings.
      rows: texts, as many in each as columns.
      notes: sentences that a reader must know.
      path: JSON file; None: it is printed alone.
    """
    for row in (columns, ["---"] * len(columns), *rows):
        print("| " + " | ".join(row) + " |")
    if path is None:
        return
    head = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True, check=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    content = {
        "title": title,
        "says": says,
        "command": shlex.join(["python", "-m", "benchmarks.listening", *sys.argv[1:]]),
        "commit": commit.stdout.strip(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, other work beside",
        "date": now.date().isoformat(),
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        "notes": list(notes),
    }
    files.write_atomically(path, json.dumps(content, indent=1) + "\n")
