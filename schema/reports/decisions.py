"""`decisions.json`: what the gate and people decided about models, oldest first."""

from __future__ import annotations

from pydantic import RootModel, StrictBool

from schema.reports.base import Content
from schema.reports.promotion import Figures, Rule


class Decision(Content):
    """A verdict of the gate, or what people decided."""

    decision: str
    """`blessed` or `refused` by the gate; `promote` or `rollback` by a person."""
    time: str
    """ISO 8601, UTC."""
    model_id: str | None = None
    serves: StrictBool = False
    """Whether it may serve now, after what people decided; of a verdict alone."""
    failed: tuple[Rule, ...] = ()
    """The rules that refused it."""
    figures: Figures = Figures()
    """What the verdict was about."""
    reason: str = ""
    """Of a person, as the two below."""
    user: str = ""
    version: str = ""


class Decisions(RootModel[tuple[Decision, ...]]):
    """`decisions.json`."""
