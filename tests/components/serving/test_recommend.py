"""`heed recommend` and `heed similar` on a real model: what is said and warned of."""

import json

import pytest
from typer import testing

from pipeline import cli  # noqa: F401 - registers the commands
from pipeline.commands import shell
from tests.components.serving import tiny_model

EVENTS = [
    {"item_id": "i3", "action": "DISLIKE", "timestamp": 1, "value": 0.5},
    {"item_id": "i4", "action": "view", "timestamp": 2, "value": 0.5},
    {"item_id": "zz", "action": "view", "timestamp": 3, "value": 0.5},
]


@pytest.fixture
def ask(tiny_model_dir, tmp_path):
    def invoke(events, *more):
        history = tmp_path / "history.jsonl"
        history.write_text("\n".join(map(json.dumps, events)))
        model = ["--model", str(tiny_model_dir), "--history", str(history), "-k", "3"]
        return testing.CliRunner().invoke(shell.app, ["recommend", *model, *more])

    return invoke


def test_titles_are_in_json(ask):
    answer = ask(EVENTS[1:2], "--json")
    assert answer.exit_code == 0
    expected = tiny_model.expected_slate([("i4", "view", 2, 0.5)], 3)
    assert json.loads(answer.stdout) == [
        {"item_id": item_id, "score": score, "title": f"Title {item_id[1:]}"}
        for item_id, score in expected
    ]
    assert "warning" not in answer.output


def test_unknown_names_are_told_beside_the_answer(ask):
    answer = ask(EVENTS, "--json")
    assert answer.exit_code == 0
    assert len(json.loads(answer.stdout)) == 3
    assert (
        "warning: 1 of 3 events have the action 'DISLIKE', which the model's feedback "
        "policy does not know; it knows dislike, like, view: it is no feedback"
    ) in answer.stderr
    assert "warning: 1 of 3 events are of items that the model" in answer.stderr


def test_strict_mode_refuses(ask):
    answer = ask(EVENTS, "--set", "serving.unknown_actions=refuse")
    assert answer.exit_code == 2
    assert "error: 1 of 3 events have the action 'DISLIKE'" in answer.output


def test_items_like_others_in_json(tiny_model_dir):
    arguments = ["similar", "i3", "i5", "--model", str(tiny_model_dir), "-k", "4"]
    answer = testing.CliRunner().invoke(
        shell.app, [*arguments, "--exclude", "i7", "--json"]
    )
    assert answer.exit_code == 0, answer.output
    expected = tiny_model.expected_similar(["i3", "i5"], 4, exclude=["i7"])
    assert json.loads(answer.stdout) == [
        {"item_id": item_id, "score": score, "title": f"Title {item_id[1:]}"}
        for item_id, score in expected
    ]
    assert answer.stderr == ""


def test_an_item_that_nobody_knows_is_told(tiny_model_dir):
    arguments = ["similar", "zz", "--model", str(tiny_model_dir)]
    answer = testing.CliRunner().invoke(shell.app, arguments)
    assert answer.exit_code == 0
    assert "warning: the model does not know the item 'zz'" in answer.stderr
