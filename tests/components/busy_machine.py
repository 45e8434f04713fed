"""Fresh processes, alone and beside other work, so that threads meet otherwise."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

_REPOSITORY = pathlib.Path(__file__).parents[2]
_PROCESSES = 3


@contextlib.contextmanager
def _busy():
    """As many busy loops as there are processors."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def answers(program, arguments):
    """What a program prints last, as JSON: alone, and two beside busy loops.

    Its arguments are those of the process's number.
    """

    def start(number):
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments(number)],
            cwd=_REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
        )

    def answer(process):
        told, complaints = process.communicate()
        assert process.returncode == 0, complaints[-2_000:]
        return json.loads(told.splitlines()[-1])

    found = [answer(start(0))]
    with _busy():
        found += [answer(p) for p in [start(n) for n in range(1, _PROCESSES)]]
    return found
