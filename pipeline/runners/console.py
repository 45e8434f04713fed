"""The quiet console: one line a step on the screen, everything else in a file."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator

import rich.console
import rich.progress
import rich.table


@contextlib.contextmanager
def output_to_file(path: str) -> Iterator[rich.console.Console]:
    """Sends everything that this process and its children print to a file.

    TensorFlow, Beam and ML Metadata write to the descriptors, not to `sys.stdout`,
    so the descriptors themselves are moved.

    Args:
      path: the log file, appended to.

    Yields:
      A console on the real standard output.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    screen = os.fdopen(os.dup(saved[0]), "w", encoding="utf-8")
    try:
        yield rich.console.Console(file=screen, soft_wrap=not screen.isatty())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, number in zip(saved, (1, 2), strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        screen.close()


class StepDisplay:
    """Progress of the steps: live on a terminal, a line a step elsewhere."""

    def __init__(self, console: rich.console.Console, steps: list[str]):
        self._console = console
        self._steps = steps
        self._width = max(len(step) for step in steps)
        self._progress = rich.progress.Progress(
            rich.progress.SpinnerColumn(),
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(bar_width=24),
            rich.progress.TextColumn("{task.fields[detail]}"),
            rich.progress.TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: rich.progress.TaskID | None = None
        self._number = 0
        self._started = 0.0
        self._detail = ""

    def __enter__(self) -> StepDisplay:
        self._progress.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._progress.stop()

    def start(self, step: str) -> None:
        """Shows that a step runs."""
        self._number += 1
        self._started = time.monotonic()
        self._detail = ""
        self._task = self._progress.add_task(
            f"{self._number:2d}/{len(self._steps)} {step}", total=None, detail=""
        )

    def advance(self, done: int, total: int, text: str) -> None:
        """Shows how far the running step is."""
        self._detail = f"{done}/{total} {text}"
        if self._task is not None:
            self._progress.update(
                self._task, completed=done, total=total, detail=self._detail
            )

    def finish(self, step: str, state: str) -> None:
        """Replaces the running step by its final line."""
        seconds = time.monotonic() - self._started
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        colour = {"done": "green", "cached": "cyan"}.get(state, "red")
        detail = f"  [dim]{self._detail}[/dim]" if self._detail else ""
        self._console.print(
            f"{self._number:2d}/{len(self._steps)} {step:<{self._width}}  "
            f"[{colour}]{state:<6}[/{colour}] {seconds:6.1f} s{detail}",
            highlight=False,
        )


class ShardDisplay:
    """Progress of many files that are written: a bar, or now and then a line."""

    def __init__(self, console: rich.console.Console):
        self._console = console
        self._progress = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(bar_width=24),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("reading histories", total=None)
        self._told = -1

    def __enter__(self) -> ShardDisplay:
        self._progress.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._progress.stop()

    def show(self, done: int, total: int) -> None:
        """Shows that `done` of `total` are written; without a terminal, each tenth."""
        self._progress.update(
            self._task, description="shards", completed=done, total=total
        )
        tenth = 10 * done // total
        if not self._console.is_terminal and tenth > self._told:
            self._told = tenth
            self._console.print(f"{done} of {total} shards", highlight=False)
