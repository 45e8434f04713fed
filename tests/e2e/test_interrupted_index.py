"""SIGINT while a real IndexBuilder is at work, in Python and in ScaNN's C++."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

REPOSITORY = pathlib.Path(__file__).parents[2]
# The command itself; a thread beside it tells by a file when the step is at a place.
_COMMAND = """
import pathlib, signal, sys, threading, time

# Shells let what runs in the background ignore it, tests included.
signal.signal(signal.SIGINT, signal.default_int_handler)
_, root, file, function = sys.argv
main = threading.main_thread().ident

def is_there():
    frame = sys._current_frames().get(main)
    while frame is not None:
        code = frame.f_code
        if code.co_name == function and code.co_filename.endswith(file):
            return True
        frame = frame.f_back
    return False

def watch():
    while not is_there():
        time.sleep(0.002)
    pathlib.Path(root, "there").touch()

threading.Thread(target=watch, daemon=True).start()
sys.argv = ["heed", "run", "--config", "test", "--root", root]
sys.argv += ["--set", "index.search=approximate", "--set", "index.num_leaves=96"]
from pipeline import cli
cli.main()
"""
_PLACES = {
    "reading histories": ("index_builder/build.py", "tuning_queries"),
    "ScaNN's training": ("scann_ops.py", "create_searcher"),
    "search": ("index_builder/tuning.py", "_search"),
    "export": ("index_builder/endpoint.py", "export"),
    "the manifest": ("bundle/integrity.py", "write_manifest"),
}


def start(root, place=("", "")):
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, str(root), *place],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )


def wait_until_there(running, root):
    while running.poll() is None:
        if (root / "there").exists():
            (root / "there").unlink()
            return
        time.sleep(0.002)
    raise AssertionError("".join(running.communicate()))


def pushed(root):
    return list((root / "serving_models").glob("*/*"))


def test_sigint_in_index_builder_ends_with_130_and_the_same_command_completes(tmp_path):
    """Everything before it is reused each time, so that one log serves all places."""
    for name, place in _PLACES.items():
        running = start(tmp_path, place)
        wait_until_there(running, tmp_path)
        os.killpg(running.pid, signal.SIGINT)
        told, complaints = running.communicate()

        assert running.returncode == 130, (name, told, complaints)
        assert "IndexBuilder" in told.splitlines()[-1], name
        assert "failed" in told.splitlines()[-1], name
        assert complaints.splitlines()[-1] == "interrupted", name
        assert "Traceback" not in told + complaints, name
        assert pushed(tmp_path) == [], name

    completes = start(tmp_path)
    told, complaints = completes.communicate()

    assert completes.returncode == 0, (told, complaints)
    assert len(pushed(tmp_path)) == 1
    (built,) = (line for line in told.splitlines() if " IndexBuilder " in line)
    assert " done " in built
