"""What a run says at its end agrees with what was decided about its model."""

import io
import types

import pytest
import rich.console

from pipeline import config
from pipeline.runners import summary
from tests.unit.report import report_run


def said(tmp_path, **result):
    nothing = {
        "blessed": False,
        "pushed_version": None,
        "rollback_reason": "",
        "override_reason": "",
        "cached_nodes": (),
    }
    root = report_run.write_run(tmp_path)
    file = io.StringIO()
    summary.print_summary(
        rich.console.Console(file=file, width=300),
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
