"""What a run says at its end agrees with what was decided about its model."""

import io
import types

import pytest
import rich.console

from pipeline import config
from pipeline.report import run_reports
from pipeline.report.sections import relevance
from pipeline.runners import summary
from schema import reports
from tests.unit.report import report_run


def said(folder, width=300, **result):
    nothing = {
        "blessed": False,
        "pushed_version": None,
        "rollback_reason": "",
        "override_reason": "",
        "cached_nodes": (),
    }
    root = folder if (folder / "reports").is_dir() else report_run.write_run(folder)
    file = io.StringIO()
    summary.print_summary(
        rich.console.Console(file=file, width=width),
        str(root),
        config.load(None).config,
        types.SimpleNamespace(**{**nothing, **result}),
    )
    return file.getvalue()


@pytest.mark.parametrize(
    ("result", "words", "not_words"),
    [
        ({"blessed": True, "pushed_version": "7"}, "blessed and pushed: ", "person"),
        (
            {"blessed": True, "pushed_version": "7", "override_reason": "a launch"},
            "pushed by a person: ",
            "blessed and pushed",
        ),
        (
            {"rollback_reason": "too [bold] \x1b[2J"},
            "withdrawn earlier: too [bold] \\x1b[2J",
            "refused by the promotion gate",
        ),
        ({}, "refused by the promotion gate; nothing was pushed", "person"),
    ],
)
def test_words_agree_with_what_was_decided(tmp_path, result, words, not_words):
    text = said(tmp_path, **result)
    assert words in text
    assert not_words not in text


def test_a_root_in_brackets_is_shown_as_it_is(tmp_path):
    root = tmp_path / "[red]runs"
    root.mkdir()
    text = said(root, blessed=True, pushed_version="7")
    assert f"heed serve --models {root}/serving_models/heed" in text


def test_a_narrow_screen_shows_every_figure_and_verdict_whole(tmp_path):
    """Eighty columns; the names of rules are longer than what is left for them."""
    text = said(tmp_path, width=80, blessed=True, pushed_version="7")
    read = reports.read_existing(
        tmp_path / "reports" / reports.PROMOTION_FILE, reports.Promotion
    )

    assert text.count("passed") + text.count("FAILED") == len(read.rules)
    for rule in read.rules:
        if isinstance(rule.observed, float):
            assert f"{rule.observed:.4g} " in text
        assert len(rule.required) > 12 or rule.required in text


def test_what_users_see_is_told_beside_the_slate_before_first(tmp_path):
    root = report_run.write_run(tmp_path)
    path = root / "reports" / reports.RESPONSIVENESS_FILE
    read = reports.read_existing(path, reports.Responsiveness)
    effect = reports.Effect(
        responsiveness=-0.5, low=-0.6, high=-0.4,
        net_responsiveness=-0.3, net_low=-0.4, net_high=-0.2,
    )  # fmt: skip
    read.effects["content"]["dislike"] = effect
    reports.write(path, read)

    text = said(root)

    (line,) = [line for line in text.splitlines() if "content.dislike " in line]
    assert line.split("\u2502")[2].strip() == "-30.0 (-40.0 .. -20.0)"
    assert line.split("\u2502")[3].strip() == "-50.0 (-60.0 .. -40.0)"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"items_lost": 9, "targets_lost": 4, "targets_withdrawn": 0},
            "lacks 9 items that the model was trained with: 4 of 120 held-out targets "
            "are of them and count as misses",
        ),
        (
            {"items_lost": 0, "targets_lost": 0, "targets_withdrawn": 3},
            "3 held-out targets are left out: the catalogue has withdrawn their items",
        ),
    ],
)
def test_what_can_no_longer_be_served_is_told(tmp_path, changed, words):
    root = report_run.write_run(
        tmp_path, evaluation={**report_run.EVALUATION, **changed}
    )

    assert words in said(tmp_path).replace("\n", " ")
    shown = relevance.build(run_reports.read(root)).targets
    assert ("count as misses" in shown) == (changed["items_lost"] > 0)
    assert ("left out" in shown) == (changed["targets_withdrawn"] > 0)
