"""How many threads share one operation; of the whole process, so in one of its own."""

import pathlib
import subprocess
import sys

_REPOSITORY = pathlib.Path(__file__).parents[4]
_SET_TWICE = """
import tensorflow as tf
from serving.server import server

server._set_threads(3)
print(tf.config.threading.get_intra_op_parallelism_threads())
tf.zeros(1)
server._set_threads(2)
print(tf.config.threading.get_intra_op_parallelism_threads())
"""


def test_threads_are_set_once_and_a_running_process_keeps_its_own():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SET_TWICE],
        cwd=_REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.split() == ["3", "3"]
    assert "`serving.intra_op_threads` = 2 has no effect" in done.stderr
