"""A signal to stop ends `heed run` in any step, whatever native code makes of it."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = pathlib.Path(__file__).parents[2]
# The command itself, its steps but noted: one of them gets a signal as IndexBuilder's
# native code once did, which lost the exception or raised another.
_COMMAND = """
import os, pathlib, signal, sys, time
from pipeline.runners import nodes

_, root, number, answer = sys.argv
number = int(number)
# Shells let what runs in the background ignore SIGINT, tests included.
signal.signal(signal.SIGINT, signal.default_int_handler)

def launch(ir, node_id, run_id):
    with open(os.path.join(root, "launched"), "a") as launched:
        launched.write(node_id + "\\n")
    if node_id != "IndexBuilder":
        return None
    try:
        os.kill(os.getpid(), number)
        time.sleep(60)
    except KeyboardInterrupt:
        if answer == "raised":
            raise
        if answer == "replaced":
            raise SystemError("<built-in method> returned a result with an error set")
    return None

nodes.launch = launch
sys.argv = ["heed", "run", "--config", "movielens-small", "--root", root]
from pipeline import cli
cli.main()
"""


@pytest.mark.parametrize(
    ("number", "answer", "code"),
    [
        (signal.SIGINT, "swallowed", 130),
        (signal.SIGINT, "replaced", 130),
        (signal.SIGTERM, "raised", 143),
    ],
)
def test_signal_in_a_step_ends_the_run_before_the_next(tmp_path, number, answer, code):
    stopped = subprocess.run(
        [sys.executable, "-c", _COMMAND, str(tmp_path), str(int(number)), answer],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
    )
    assert stopped.returncode == code, stopped.stderr
    assert stopped.stderr.splitlines()[-1] == "interrupted"
    assert "failure" not in stopped.stderr
    launched = (tmp_path / "launched").read_text().split()
    assert launched[-1] == "IndexBuilder"
    assert not (tmp_path / ".tmp").exists()


def test_second_signal_ends_the_process_at_once():
    """Also where the first is being answered, and the answer hangs."""
    hanging = (
        "import os, signal, time\n"
        "from pipeline import interrupts\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "interrupts.listen()\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(600)\n"
        "except KeyboardInterrupt:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(600)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", hanging], cwd=REPOSITORY, check=False, timeout=300
    )
    assert ended.returncode == -signal.SIGTERM


def test_ignored_signal_stays_ignored():
    ignoring = (
        "import os, signal\n"
        "from pipeline import interrupts\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "interrupts.listen()\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "assert interrupts.exit_code() is None\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", ignoring], cwd=REPOSITORY, check=False
    )
    assert ended.returncode == 0
