"""Commands about a pushed model refuse bad arguments before they load it."""

import re

import pytest
from typer import testing

from pipeline import cli  # noqa: F401 - registers the commands
from pipeline.commands import recommendations, shell
from serving import requests
from serving.bundle import catalog


@pytest.mark.parametrize("control", ["-1", "2.5", "inf", "much"])
def test_user_control_outside_its_range_is_bad_input(control):
    arguments = ["recommend", "--model", "m", "--history", "h"]
    answer = testing.CliRunner().invoke(
        shell.app, [*arguments, "--user-control", control]
    )
    assert answer.exit_code == 2
    assert "--user-control" in answer.output


MODEL_OPTION = {
    "recommend": ["--model", "m", "--history", "h"],
    "serve": ["--models", "m"],
}


@pytest.mark.parametrize(
    ("command", "override", "read"),
    [
        ("serve", "gate.min_recall_at_10=0.5", "`serving`"),
        ("serve", "history.merge_window_ms=5", "`serving`"),
        ("recommend", "train.epochs=3", "`history.merge_window_ms`"),
        ("recommend", "history.max_length=50", "`history.merge_window_ms`"),
    ],
)
def test_an_override_without_effect_is_refused(command, override, read):
    answer = testing.CliRunner().invoke(
        shell.app, [command, *MODEL_OPTION[command], "--set", override]
    )
    assert answer.exit_code == 2
    assert f"`--set {override}` has no effect on this command" in answer.output
    assert read in answer.output


def test_steps_do_not_read_how_it_is_served():
    answer = testing.CliRunner().invoke(
        shell.app, ["run", "--root", "r", "--set", "serving.max_k=5"]
    )
    assert answer.exit_code == 2
    assert "`--set serving.max_k=5` has no effect" in answer.output


def test_a_setting_of_serving_out_of_range_is_refused():
    answer = testing.CliRunner().invoke(
        shell.app, ["serve", "--models", "m", "--set", "serving.max_k=0"]
    )
    assert answer.exit_code == 2
    assert "serving.max_k" in answer.output


@pytest.mark.parametrize("arguments", [["-h"], ["serve", "-h"], ["serve", "--help"]])
def test_help_is_where_people_look(arguments):
    answer = testing.CliRunner().invoke(shell.app, arguments)
    assert answer.exit_code == 0
    assert "Usage" in answer.output


def test_version():
    answer = testing.CliRunner().invoke(shell.app, ["--version"])
    assert answer.exit_code == 0
    assert re.fullmatch(r"heed \d+\.\d+\.\d+\n", answer.output)


@pytest.mark.parametrize("command", ["recommend", "serve", "explore"])
def test_help_shows_an_example(command):
    answer = testing.CliRunner().invoke(shell.app, [command, "--help"])
    assert f"Example: heed {command}" in answer.output


@pytest.mark.parametrize("option", ["--model", "--models"])
@pytest.mark.parametrize("command", ["recommend", "serve", "explore"])
def test_one_model_or_many_may_be_said(command, option, tmp_path):
    arguments = [command, option, str(tmp_path / "none")]
    if command == "recommend":
        history = tmp_path / "h.jsonl"
        history.write_text('{"item_id": "i3", "action": "view", "timestamp": 1}')
        arguments += ["--history", str(history)]
    answer = testing.CliRunner().invoke(shell.app, arguments)
    assert answer.exit_code == 2
    assert f"{tmp_path / 'none'} does not exist" in answer.output


def test_titles_and_ids_are_shown_as_they_are_and_steer_nothing(capsys):
    ids = ["Seven [/7]", "[sic]", "\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe"]
    answer = [requests.Recommendation(item_id, 0.5) for item_id in ids]
    items = {b"[sic]": catalog.Item(title=b"[red]Up[/red]")}
    recommendations._print_recommendations(answer, items)
    shown = capsys.readouterr().out
    for text in ("Seven [/7]", "[sic]", "[red]Up[/red]", "\\x1b[2J", "\\u202egnp.exe"):
        assert text in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
