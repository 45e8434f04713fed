"""What is written from code holds all of it, and what is kept by hand fits."""

from __future__ import annotations

import re

import pydantic
import pytest

from docs.site import (
    adr_page,
    command_page,
    config_page,
    fields,
    report_page,
    results_page,
    signature_page,
)
from pipeline import config
from schema import settings
from tests.unit.docs import pages

RESULTS = sorted((pages.ROOT / "benchmarks" / "results").glob("*.json"))
RECORDS = sorted((pages.DOCS / "adr").glob("[0-9]*.md"))
RESULT = {
    "title": "Speed",
    "says": "How fast it is.",
    "command": "make bench",
    "commit": "0123abc",
    "machine": "two cores",
    "date": "2026-11-27",
    "columns": ["what", "s"],
    "rows": [["this", 1.5]],
}


def test_every_config_key_is_on_the_page():
    page = config_page.render()
    values = settings.HeedConfig().model_dump(mode="json")
    # Empty tables are filled with names of one's own, and so are shares by name.
    keys = {
        key.rsplit(".", 1)[-1]
        for key, value in config.flatten(values)
        if value != {} and not key.startswith(("checks.", "responsiveness.traj"))
    }

    assert len(keys) > 100
    assert {key for key in keys if f"| `{key}` |" not in page} == set()
    assert "## `[feedback.actions.NAME]`" in page
    assert "## `[mappings.NAME.events.columns]`" in page


def test_every_config_key_says_what_it_is():
    found = config_page.sections(settings.HeedConfig, "")

    silent = [
        f"{title}.{name}"
        for title, section in found
        for name in config_page.own_keys(section)
        if name not in fields.docstrings(section)
    ]
    assert silent == []


def test_every_command_and_option_is_on_the_page():
    page = command_page.render()

    assert "## `heed refresh-index`" in page
    assert "| `--user-control` | number |" in page


def test_every_report_and_key_is_on_the_page():
    page = report_page.render()

    assert "## `responsiveness.json`" in page
    assert "| `net_low` |" in page


def test_every_input_of_a_signature_is_on_the_page():
    page = signature_page.render()

    assert page.count("| `history_item_id` | string [batch, *] |") == 4
    # `controlled` and `diverse`.
    assert page.count("| `user_control` | float32 [batch] |") == 2


class Example(pydantic.BaseModel):
    """Two fields."""

    share: float = pydantic.Field(0.5, ge=0.0, le=1.0)
    """Of what is
    shown | hidden."""
    name: str | None = None


def test_a_field_is_a_row_with_its_type_range_default_and_text():
    assert fields.table(Example, with_defaults=True).splitlines() == [
        "| key | type | default | meaning |",
        "| --- | --- | --- | --- |",
        "| `share` | number, 0 to 1 | `0.5` | Of what is shown \\| hidden. |",
        "| `name` | string or none |  |  |",
    ]


def test_a_decision_that_a_docstring_names_is_a_link():
    linked = fields.linked("see docs/adr/0049, docs/adr/0048.", pages.DOCS)

    assert linked == (
        "see [decision 49](../adr/0049-judge.md), "
        "[decision 48](../adr/0048-graded-avoidance.md)."
    )


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_a_result_has_the_form_and_is_on_the_page(path):
    result = results_page.read(path)

    assert f"## {result.title}" in results_page.render(path.parent)


@pytest.mark.parametrize(
    "change",
    [{"commit": "today"}, {"date": "27 Nov"}, {"rows": [["this"]]}, {"rows": []}],
    ids=lambda change: str(change),
)
def test_a_result_that_lacks_its_origin_or_a_cell_is_refused(change):
    results_page.Result.model_validate(RESULT)

    with pytest.raises(pydantic.ValidationError):
        results_page.Result.model_validate({**RESULT, **change})


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_says_its_status_and_names_records_that_are_there(path):
    number, _, status, _ = adr_page.read(path)

    assert path.name.startswith(f"{int(number):04}-")
    assert status.startswith(("accepted", "superseded by ["))
    named = re.findall(r"\]\(([^)]+)\)", status)
    assert [name for name in named if not (path.parent / name).is_file()] == []


def test_a_record_without_a_status_is_refused(tmp_path):
    record = tmp_path / "0001-x.md"
    record.write_text("# 1. X\n\nContext. Y.\n")

    with pytest.raises(ValueError, match="Status: accepted"):
        adr_page.read(record)


@pytest.mark.parametrize("path", pages.pages(), ids=lambda p: p.name)
def test_no_line_of_a_page_is_wider_than_120(path):
    text = path.read_text(encoding="utf-8")

    wide = [line for line in text.splitlines() if len(line) > 120]
    assert wide == []


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_no_table_of_a_record_is_wider_than_120(path):
    lines = path.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line[:1] == "|" and len(line) > 120] == []


@pytest.mark.parametrize("path", pages.pages(), ids=lambda p: p.name)
def test_a_module_that_a_page_names_is_there(path):
    sources = [
        f"/{p.relative_to(pages.ROOT)}" for p in pages.ROOT.glob("[a-z]*/**/*.py")
    ]
    # Names such as `read_*.py` are patterns; a page may say a path from its folder on.
    named = re.findall(r"`([\w/]+\.py)`", path.read_text(encoding="utf-8"))

    missing = [n for n in named if not any(s.endswith(f"/{n}") for s in sources)]
    assert [n for n in missing if n not in ("component.py", "setup.py")] == []
