"""Decisions whose process is killed at each of its steps, and then asked for again.

The process is killed before each change it makes to a file or to the metadata, one
after the other, until it ends by itself: no list of steps is needed here that could
lack one.
"""

import json
import os
import pathlib
import shutil
import signal
import sys

import pytest
from ml_metadata import metadata_store

from pipeline import root_lock
from pipeline.metadata import human_decisions
from schema import errors
from tests.components import test_human_decisions as decisions

_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")
_MOST_CHANGES = 60

# Python 3.12 and later warn of it. The child does what it is told and is killed: it
# asks for no lock that a thread of its parent could have held.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded, use of fork:DeprecationWarning"
)


def killed_before_change(number, act):
    """Runs `act` in a child that is killed before its n-th change.

    Returns:
      Whether it was; False: it ended by itself.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)
    done = 0

    def change():
        nonlocal done
        done += 1
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event, arguments):
        writes = event == "open" and (
            "w" in str(arguments[1]) or (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        )
        if event in _CHANGES or writes:
            change()

    def counted(method):
        def call(*arguments, **keywords):
            change()
            return method(*arguments, **keywords)

        return call

    for name in ("put_artifacts", "put_execution", "put_execution_type"):
        method = getattr(metadata_store.MetadataStore, name)
        setattr(metadata_store.MetadataStore, name, counted(method))
    code = 1
    try:
        sys.addaudithook(audit)
        act()
        code = 0
    finally:
        os._exit(code)


@pytest.fixture
def root(tmp_path):
    """Three served versions and a refused model, each with the gate's verdict."""
    root = tmp_path / "before"
    decisions.write_model(root / "models" / "refused" / "Format-Serving", "refused")
    for version, model_id in (("100", "older"), ("200", "good"), ("300", "bad")):
        decisions.write_model(root / "serving_models" / "heed" / version, model_id)
        decisions.add_blessing(root, model_id, blessed=1)
    decisions.add_blessing(root, "refused", blessed=0)
    return root


def state(root):
    """All that a decision changes, as any other program would read it."""
    base = root / "serving_models" / "heed"
    store = decisions.store_of(root)
    log = root / "reports" / "decisions.jsonl"
    history = root / "reports" / "decisions.json"
    return {
        "served": [
            json.loads((p / "assets.extra" / "manifest.json").read_text())["model_id"]
            for p in sorted(
                (p for p in base.iterdir() if p.name.isdigit()),
                key=lambda p: int(p.name),
            )
        ],
        "withdrawn": sorted(p.name for p in (base / ".withdrawn").iterdir())
        if (base / ".withdrawn").exists()
        else [],
        "unfinished": [p.name for p in base.glob(".incomplete-*")],
        "blessed": [
            a.custom_properties["blessed"].int_value
            for a in store.get_artifacts_by_type("ModelBlessing")
        ],
        "recorded": [
            e.custom_properties["decision"].string_value
            for e in store.get_executions_by_type("HeedHumanDecision")
        ],
        "logged": [json.loads(t)["decision"] for t in log.read_text().splitlines()],
        "told": [
            entry["decision"]
            for entry in json.loads(history.read_text())
            if entry["decision"] in ("promote", "rollback")
        ],
        "intents": [p.name for p in root.glob("*intent*")],
    }


ROLLED_BACK = {
    "served": ["older", "good"],
    "withdrawn": ["300"],
    "unfinished": [],
    "blessed": [1, 1, 0, 0],
    "recorded": ["rollback"],
    "logged": ["rollback"],
    "told": ["rollback"],
    "intents": [],
}
PROMOTED = {
    "served": ["older", "good", "bad", "refused"],
    "withdrawn": [],
    "unfinished": [],
    "blessed": [1, 1, 1, 1],
    "recorded": ["promote"],
    "logged": ["promote"],
    "told": ["promote"],
    "intents": [],
}


@pytest.mark.parametrize(
    ("decide", "expected"),
    [
        pytest.param(human_decisions.rollback, ROLLED_BACK, id="rollback"),
        pytest.param(human_decisions.promote, PROMOTED, id="promote"),
    ],
)
def test_decision_killed_anywhere_is_finished_by_the_same_command(
    root, tmp_path, decide, expected
):
    kills = 0
    for number in range(1, _MOST_CHANGES):
        copy = tmp_path / str(number)
        shutil.copytree(root, copy)
        if not killed_before_change(number, lambda r=copy: decide(r, "heed", "why")):
            assert state(copy) == expected
            break
        kills += 1
        told = []
        decide(copy, "heed", "why", told.append)
        assert state(copy) == expected, f"killed before change {number}"
        assert told
        shutil.rmtree(copy)
    assert kills >= 10


def test_who_was_told_nothing_does_not_withdraw_a_second_version(root):
    def interrupted(sentence):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        human_decisions.rollback(root, "heed", "complaints", interrupted)
    told = []
    human_decisions.rollback(root, "heed", "complaints", told.append)
    assert state(root) == ROLLED_BACK
    assert "finished the rollback of version 300" in told[1]
    assert "(complaints)" in told[1]
    human_decisions.rollback(root, "heed", "more complaints")
    assert state(root)["served"] == ["older"]


def test_other_decision_waits_for_the_one_begun(root):
    def interrupted(sentence):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        human_decisions.rollback(root, "heed", "complaints", interrupted)
    with pytest.raises(errors.InputError, match=r"rollback of version 300 .*say `heed"):
        human_decisions.promote(root, "heed", "a launch")
    assert state(root)["recorded"] == ["rollback"]


@pytest.mark.parametrize("decide", [human_decisions.rollback, human_decisions.promote])
def test_decision_waits_for_a_run(root, decide):
    with (
        root_lock.hold(root),
        pytest.raises(errors.InputError, match="another run or decision"),
    ):
        decide(root, "heed", "why")
    assert sorted(p.name for p in (root / "serving_models" / "heed").iterdir()) == [
        "100", "200", "300",
    ]  # fmt: skip


def test_promotion_that_cannot_begin_leaves_nothing_to_finish(root, monkeypatch):
    def full(*unused):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copytree", full)
        with pytest.raises(OSError, match="no space"):
            human_decisions.promote(root, "heed", "a launch")
    human_decisions.promote(root, "heed", "a launch")
    assert state(root) == PROMOTED


def test_refused_model_that_is_gone_is_named(root):
    shutil.rmtree(root / "models")
    with pytest.raises(errors.InputError, match="Format-Serving is no directory"):
        human_decisions.promote(root, "heed", "a launch")
    assert not list(root.glob("*intent*"))


def test_withdrawn_number_is_not_used_again(root, monkeypatch):
    human_decisions.rollback(root, "heed", "complaints")
    monkeypatch.setattr(human_decisions.pusher.time, "time", lambda: 250.0)
    pushed = human_decisions.promote(root, "heed", "a launch")
    assert pathlib.Path(pushed).name == "301"


def test_torn_line_of_the_log_stays_and_the_next_is_whole(root):
    (root / "reports").mkdir()
    (root / "reports" / "decisions.jsonl").write_text('{"decision": "rol')
    human_decisions.rollback(root, "heed", "complaints")
    torn, line = (root / "reports" / "decisions.jsonl").read_text().splitlines()
    assert torn == '{"decision": "rol'
    assert json.loads(line)["version"] == "300"
