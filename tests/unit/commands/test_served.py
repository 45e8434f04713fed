"""Commands about a pushed model refuse bad arguments before they load it."""

import pytest
from typer import testing

from pipeline import cli  # noqa: F401 - registers the commands
from pipeline.commands import shell


@pytest.mark.parametrize("control", ["-1", "2.5", "inf", "much"])
def test_user_control_outside_its_range_is_bad_input(control):
    arguments = ["recommend", "--model", "m", "--history", "h"]
    answer = testing.CliRunner().invoke(
        shell.app, [*arguments, "--user-control", control]
    )
    assert answer.exit_code == 2
    assert "--user-control" in answer.output
