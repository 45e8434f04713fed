"""Progress of a step, from where the work is done to whoever displays it.

Executors run inside an orchestrator and know nothing of a console. They report here;
the local runner listens, and under any other orchestrator nobody does.
"""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[int, int, str], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> Callable[[], None]:
    """Calls `listener(done, total, text)` at every report, until it is removed.

    Returns:
      A function that removes the listener.
    """
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def report(done: int, total: int, text: str = "") -> None:
    """Tells the listeners that `done` of `total` units of the running step are done."""
    for listener in _listeners:
        listener(done, total, text)
