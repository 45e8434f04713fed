"""Renders `reports/report.html`: one file, readable without a network."""

from __future__ import annotations

import pathlib
from typing import Any

from pipeline.report import run_reports
from pipeline.report.sections import (
    decisions,
    event_log,
    example_users,
    relevance,
    responsiveness,
    side_effects,
    slices,
    tradeoff,
    training,
    verdict,
)
from schema import files, reports, visible_text

REPORT_FILE = "report.html"
_TEMPLATES = pathlib.Path(__file__).parent


def write_report(root: pathlib.Path) -> pathlib.Path:
    """Renders the report of a run from the files in `ROOT/reports`.

    The same files give the same bytes. The page replaces an older one only when it is
    complete.

    Args:
      root: the run's directory.

    Returns:
      The path of the page.

    Raises:
      InputError: `ingestion.json` is missing, or a file is malformed.
    """
    root = pathlib.Path(root)
    page = render_page(run_reports.read(root))
    path = root / "reports" / REPORT_FILE
    files.write_atomically(path, page)
    return path


def render_page(run: run_reports.RunReports) -> str:
    """Returns the page as text.

    Args:
      run: what it left; sections whose file is missing say so.
    """
    import jinja2
    import markupsafe

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Plots are made here and escape their own text; the style sheet is a file of ours.
    environment.filters["trusted"] = markupsafe.Markup
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    page = environment.get_template("report.html").render(
        style=style, files=reports, **_sections(run)
    )
    # Titles and ids of a catalogue stand in texts and in plots.
    return visible_text.visible_lines(page)


def _sections(run: run_reports.RunReports) -> dict[str, Any]:
    past = decisions.build(run)
    return {
        "verdict": verdict.build(run),
        "decisions": past,
        "event_log": event_log.build(run.ingestion, run.catalog),
        "training": training.build(run.training),
        "relevance": relevance.build(run),
        "slices": slices.build(run.evaluation),
        "responsiveness": responsiveness.build(
            run.responsiveness, past.last_blessed.figures.responsiveness
        ),
        "side_effects": side_effects.build(run.responsiveness),
        "experiment_plot": tradeoff.arms_plot(run.experiment),
        "example_users": example_users.build(run.responsiveness),
        "missing": run.missing_files(),
    }
