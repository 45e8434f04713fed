"""Bad options and folders end with exit code 2 and a sentence, before any work."""

import pytest
from typer import testing

from pipeline import cli  # noqa: F401 - registers the commands
from pipeline.commands import shell


def invoke(*arguments):
    return testing.CliRunner().invoke(shell.app, [str(part) for part in arguments])


@pytest.mark.parametrize("name", ["run[1]", "run*", "what?"])
@pytest.mark.parametrize("command", ["run", "report", "refresh-index"])
def test_a_root_that_tfx_takes_for_a_pattern(tmp_path, command, name):
    answer = invoke(command, "--root", tmp_path / name)
    assert answer.exit_code == 2
    assert "pattern" in answer.output
    assert not list(tmp_path.iterdir())


def test_a_root_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    answer = invoke(
        "run", "--root", tmp_path / "file" / "root", "--config", "movielens-small"
    )
    assert answer.exit_code == 2
    assert "cannot be made: Not a directory; choose a `--root`" in answer.output
    assert "Traceback" not in answer.output
