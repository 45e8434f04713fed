import html.parser
import itertools
import os
import re
import subprocess
import sys
import unicodedata

import pytest

from pipeline.report import render
from pipeline.runners import reports as runners
from schema import errors
from tests.unit.report import report_run

VOID = {"meta", "link", "br", "img", "input", "hr", "use", "path", "rect"}
SECTIONS = (
    "log", "training", "relevance", "slices", "responsiveness", "gate", "examples",
    "reading",
)  # fmt: skip


class Page(html.parser.HTMLParser):
    """Notes ids, references and unclosed elements."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.references, self.texts = [], [], []
        self.tags, self.open, self.faults = set(), [], []
        self.feed(text)
        self.close()

    def handle_startendtag(self, tag, attrs):
        self.note(tag, attrs)

    def handle_starttag(self, tag, attrs):
        self.note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append((tag, self.getpos()))

    def handle_data(self, data):
        self.texts.append(data)

    def note(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "srcset", "data", "action", "poster"):
                self.references.append(value)

    @property
    def text(self):
        return re.sub("[ \n]+", " ", " ".join(self.texts))


def page_of(root):
    return Page(render.write_report(root).read_text(encoding="utf-8"))


def test_it_is_one_sound_page_that_fetches_nothing(tmp_path, real_plots):
    path = render.write_report(report_run.write_run(tmp_path))
    assert path == tmp_path / "reports" / "report.html"
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.faults == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(SECTIONS) <= set(page.ids)
    assert all(reference.startswith("#") for reference in page.references)
    assert {r[1:] for r in page.references} <= set(page.ids)
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert str(tmp_path) not in text


def test_the_same_files_give_the_same_bytes(tmp_path, real_plots):
    pages = [
        render.write_report(report_run.write_run(tmp_path / name)).read_bytes()
        for name in ("one", "two")
    ]
    assert pages[0] == pages[1]
    again = render.write_report(tmp_path / "one").read_bytes()
    assert again == pages[0]


def test_the_figures_of_the_files_are_there(tmp_path):
    text = page_of(report_run.write_run(tmp_path)).text
    for expected in (
        "Blessed",
        report_run.MODEL_ID,
        "1,000",  # events read
        "bad_timestamp",
        "0.4000 to 0.6000",  # recall@10
        "no liked targets",  # slice negative:explicit
        "\u221225.0\u00a0%",  # responsiveness
        "\u221260.8\u00a0%",  # the paper's
        "no item of the catalogue has a creator",
        "\u2265 0.95",
        "Title of x",
        "\u2212 went Title of c",
        "+ came Title of e",
    ):
        assert expected in text, expected


def test_a_refusal_stands_on_top_with_its_reasons(tmp_path):
    promotion = report_run.altered(report_run.PROMOTION, "blessed", to=False)
    promotion["rules"][1].update(observed=0.0123, passed=False)
    text = page_of(report_run.write_run(tmp_path, promotion=promotion)).text
    banner = text[: text.index("What the event log holds")]
    assert "Refused" in banner
    assert "recall@10 : observed 0.0123, required \u2265 0.02" in banner
    assert "Blessed" not in text


OPTIONAL = (*report_run.FILES, "predictions.parquet")[1:]


@pytest.mark.parametrize(
    "leave_out",
    [
        *itertools.combinations(OPTIONAL, 1),
        *(OPTIONAL[n:] for n in range(len(OPTIONAL))),
    ],
    ids=lambda names: "-".join(name.partition(".")[0] for name in names),
)
def test_what_is_missing_is_said_in_its_place(tmp_path, leave_out):
    page = page_of(report_run.write_run(tmp_path, leave_out))
    assert page.faults == []
    assert set(SECTIONS) <= set(page.ids)
    for name in leave_out:
        assert f"the run wrote no {name}" in page.text or (
            name == "predictions.parquet" and "evaluation.json" in leave_out
        )
    assert ("No verdict" in page.text) == ("promotion.json" in leave_out)


def test_text_from_the_data_cannot_become_markup(tmp_path):
    evil = "</style><script>alert(1)</script>"
    responsiveness = report_run.altered(
        report_run.RESPONSIVENESS, "examples", 0, "item", "title", to=evil
    )
    responsiveness["content.<b>x"] = responsiveness["content.dislike"]
    ingestion = report_run.altered(
        report_run.INGESTION, "events_rejected", to={evil: 50}
    )
    root = report_run.write_run(
        tmp_path, ingestion=ingestion, responsiveness=responsiveness
    )
    page = page_of(root)
    assert not page.tags & {"script", "b"}
    assert page.faults == []
    assert page.text.count(evil) >= 3


def test_text_from_the_data_cannot_steer_or_deceive(tmp_path):
    title = "\x1b[2J a\x9bm \u202egnp.exe\u2069"
    responsiveness = report_run.altered(
        report_run.RESPONSIVENESS, "examples", 0, "item", "title", to=title
    )
    root = report_run.write_run(tmp_path, responsiveness=responsiveness)
    page = page_of(root)
    text = (root / "reports" / "report.html").read_text(encoding="utf-8")
    assert "\\x1b[2J a\\x9bm \\u202egnp.exe\\u2069" in page.text
    assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cf")} - {"\n"}


def test_least_reports_are_enough(tmp_path):
    """What the contract promises, and not a key more."""
    root = report_run.write_run(
        tmp_path,
        leave_out=("catalog.json", "training_history.json", "predictions.parquet"),
        ingestion={
            key: report_run.INGESTION[key]
            for key in (
                "events_read", "events_kept", "events_rejected",
                "events_deduplicated", "users", "items", "examples",
            )
        },
        evaluation={"metrics": {}, "slices": {}, "baselines": {}},
        responsiveness={},
        promotion={"blessed": False, "rules": []},
    )  # fmt: skip
    page = page_of(root)
    assert page.faults == []
    assert "Refused" in page.text


def test_a_malformed_file_leaves_the_old_page_alone(tmp_path):
    root = report_run.write_run(tmp_path)
    path = render.write_report(root)
    before = path.read_bytes()
    (root / "reports" / "evaluation.json").write_text("{")
    with pytest.raises(errors.InputError, match=r"evaluation\.json"):
        render.write_report(root)
    assert path.read_bytes() == before


def test_a_write_that_fails_leaves_the_old_page_alone(tmp_path, monkeypatch):
    root = report_run.write_run(tmp_path)
    path = render.write_report(root)
    before = path.read_bytes()
    monkeypatch.setattr(render, "render_page", lambda run: "half\ud800")
    with pytest.raises(UnicodeEncodeError):
        render.write_report(root)
    assert path.read_bytes() == before


def test_nothing_is_left_aside(tmp_path):
    root = report_run.write_run(tmp_path)
    before = set(os.listdir(root / "reports"))
    render.write_report(root)
    assert set(os.listdir(root / "reports")) - before == {"report.html"}


def test_import_is_light():
    code = (
        "import sys; import pipeline.report.render; "
        "heavy = {'matplotlib', 'pyarrow', 'numpy', 'tensorflow', 'tfx'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_every_file_name_is_the_one_the_runs_publish():
    published = [file for _, names in runners.REPORTS.values() for file in names]
    assert sorted(published) == sorted((*report_run.FILES, "predictions.parquet"))


def test_what_scrolls_can_be_reached_by_the_keyboard(tmp_path):
    path = render.write_report(report_run.write_run(tmp_path))
    page = path.read_text(encoding="utf-8")
    for name in ("scroll", "plot"):
        assert page.count(f'<div class="{name}" tabindex="0">') >= 1
        assert f'<div class="{name}">' not in page
