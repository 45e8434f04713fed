"""The commands of docs/how-to/roll-back.md, on real metadata and directories."""

from __future__ import annotations

import json
import shlex

import pytest
from typer import testing

from pipeline import cli
from tests.components import test_human_decisions as decisions
from tests.unit.docs import pages

COMMANDS = {
    words[1]: words[1:]
    for block in pages.blocks(pages.DOCS / "how-to" / "roll-back.md", "sh")
    for words in [shlex.split(block.text)]
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The root that the page names, with two pushed models and a refused one."""
    root = tmp_path / "runs" / "mine"
    for version, model_id in (("100", "good"), ("200", "doubtful")):
        decisions.write_model(root / "serving_models" / "heed" / version, model_id)
    decisions.write_model(root / "models" / "doubtful" / "Format-Serving", "doubtful")
    decisions.write_model(root / "models" / "refused" / "Format-Serving", "refused")
    decisions.add_blessing(root, "doubtful", blessed=1)
    monkeypatch.chdir(tmp_path)
    return root


def told(root):
    lines = (root / "reports" / "decisions.jsonl").read_text().splitlines()
    return json.loads(lines[-1])


def test_rollback_takes_the_newest_out_and_says_why(root):
    done = testing.CliRunner().invoke(cli.shell.app, COMMANDS["rollback"])

    assert done.exit_code == 0, done.output
    served = [p.name for p in (root / "serving_models" / "heed").iterdir()]
    assert [name for name in served if name.isdigit()] == ["100"]
    assert told(root)["reason"] == "complaints about the new slate"


def test_promote_pushes_what_the_gate_refused_and_says_why(root):
    decisions.add_blessing(root, "refused", blessed=0)

    done = testing.CliRunner().invoke(cli.shell.app, COMMANDS["promote"])

    assert done.exit_code == 0, done.output
    newest = max(int(p.name) for p in (root / "serving_models" / "heed").iterdir())
    assert newest > 200
    assert told(root)["reason"].startswith("the drop is expected")
