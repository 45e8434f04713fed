"""Assembles the sources of the documentation site: `python -m docs.site OUTPUT`.

The hand-written pages are copied; what the code already says is written from it, so
that no list of keys, options or figures is kept by hand. mkdocs then builds OUTPUT
(`make docs`).
"""

from __future__ import annotations

import pathlib
import shutil
import sys
from collections.abc import Callable, Mapping

from docs.site import (
    adr_page,
    api_page,
    command_page,
    config_page,
    fields,
    report_page,
    results_page,
    signature_page,
)

DOCS = pathlib.Path(__file__).parents[1]
ROOT = DOCS.parent
PAGES: Mapping[str, Callable[[], str]] = {
    "reference/config.md": config_page.render,
    "reference/commands.md": command_page.render,
    "reference/signatures.md": signature_page.render,
    "reference/reports.md": report_page.render,
    "reference/api.md": api_page.render,
    "adr/index.md": lambda: adr_page.render(DOCS / "adr"),
    "results.md": lambda: results_page.render(ROOT / "benchmarks" / "results"),
}
"""Path below the site to what writes the page."""
COPIED = ("CHANGELOG.md", "CONTRIBUTING.md")
"""Pages of the repository's root."""


def assemble(output: pathlib.Path) -> None:
    """Writes all sources of the site into a folder, which is made anew."""
    if output.exists():
        shutil.rmtree(output)
    ignored = shutil.ignore_patterns("site", "__pycache__")
    shutil.copytree(DOCS, output, ignore=ignored)
    for name in COPIED:
        # What these pages call docs/x.md lies beside them here.
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        (output / name.lower()).write_text(text, encoding="utf-8")
    for name, render in PAGES.items():
        page = output / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(fields.linked(render(), DOCS), encoding="utf-8")


if __name__ == "__main__":
    assemble(pathlib.Path(sys.argv[1]))
