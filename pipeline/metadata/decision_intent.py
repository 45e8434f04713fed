"""What a person has decided and nobody has been told of yet: one file in the root.

It is written before anything else and removed last. A decision whose process was
killed in between is found by the next one, which finishes it instead of beginning
another.
"""

from __future__ import annotations

import os
import pathlib
from typing import Literal

from schema import errors, reports
from schema.reports import base

FILE = "decision-intent.json"


class Intent(base.Content):
    """A decision with everything that its steps need, so that each can be repeated."""

    key: str
    """Names the decision in metadata and in `decisions.jsonl`, once."""
    pipeline: str
    """The folder below `serving_models`."""
    decision: Literal["promote", "rollback"]
    reason: str
    user: str
    time: str
    """ISO 8601, UTC."""
    version: int
    """The version that is pushed or withdrawn."""
    serves: int
    """The version that serves when all is done."""
    model_id: str = ""
    """Empty: the model tells none."""
    model_dir: str = ""
    """Of a promotion: the SavedModel that is pushed."""
    blessings: tuple[int, ...] = ()
    """Artifacts whose blessing changes."""


def pending(root: pathlib.Path) -> Intent | None:
    """Returns the decision that was begun and not finished; None: there is none.

    Raises:
      InvalidReportError: the file is damaged.
    """
    return reports.read(root / FILE, Intent)


def begin(root: pathlib.Path, intent: Intent) -> None:
    """Writes the intent down, whole or not at all."""
    reports.write(root / FILE, intent)


def end(root: pathlib.Path) -> None:
    """Removes the intent: its decision is done, or never began to act."""
    (root / FILE).unlink(missing_ok=True)


def refuse_pending(root: str | os.PathLike[str]) -> None:
    """Raises `InputError` where a decision waits to be finished.

    What is served and what the metadata say of it may differ until then, and nothing
    may build on either.
    """
    intent = pending(pathlib.Path(root))
    if intent is not None:
        options = " --override" if intent.decision == "promote" else ""
        raise errors.InputError(
            f"a {intent.decision} of version {intent.version} was begun in {root} at "
            f"{intent.time} and not finished: say `heed {intent.decision}{options}` "
            "for this root once more, and it is finished, with the reason given then"
        )
