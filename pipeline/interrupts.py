"""SIGINT and SIGTERM are remembered: native code cannot make them undone.

Python turns a signal into an exception, and libraries that call back into Python from
C++ may swallow it, or answer with an error of their own. So the signal is noted as
well, and asked for wherever a run decides whether to go on.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_received: list[int] = []


def listen() -> None:
    """Notes signals to stop from now on; the second one ends the process at once.

    A signal that the caller of this process chose to ignore, as `nohup` and shells do
    for what runs in the background, stays ignored.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _note)


def check() -> None:
    """Raises `KeyboardInterrupt` if a signal to stop has come."""
    if _received:
        raise KeyboardInterrupt


def exit_code() -> int | None:
    """Returns what shells call an end by the signal, 130 or 143; None: none came."""
    return 128 + _received[0] if _received else None


def leave(code: int) -> NoReturn:
    """Ends the process with this code, whatever its threads and libraries still do."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _note(number: int, frame: FrameType | None) -> NoReturn:
    _received.append(number)
    for each in _SIGNALS:
        if signal.getsignal(each) is _note:
            signal.signal(each, signal.SIG_DFL)
    raise KeyboardInterrupt
