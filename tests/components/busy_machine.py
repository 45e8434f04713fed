"""Other work on the machine, so that threads meet in another order."""

import contextlib
import os
import subprocess
import sys


@contextlib.contextmanager
def busy():
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
