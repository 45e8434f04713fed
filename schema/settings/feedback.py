"""Which actions are signals, and how histories become windows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from schema.settings.base import NonNegative, Polarity, Section


class ActionPolicy(Section):
    """What one action says about the item it was done to."""

    polarity: Polarity
    """Positive and negative ones make labels; neutral ones are only in the history."""
    weight: NonNegative = 1.0
    """Weight of the label: r_i of a positive one, w_i of a negative one."""
    explicit: bool = False
    """The user stated it (dislike), rather than it being inferred (skip)."""


DEFAULT_ACTIONS = {
    "like": ActionPolicy(polarity="positive", weight=1.0),
    "view": ActionPolicy(polarity="positive", weight=0.5),
    "skip": ActionPolicy(polarity="negative", weight=0.1),
    "dislike": ActionPolicy(polarity="negative", weight=1.0, explicit=True),
}


class FeedbackSettings(Section):
    """The feedback policy: which actions are signals, of which sign and weight."""

    actions: dict[str, ActionPolicy] = DEFAULT_ACTIONS

    @model_validator(mode="after")
    def _valid_names(self) -> FeedbackSettings:
        for name in self.actions:
            if not name or "|" in name or name != name.strip():
                raise ValueError(
                    f"action names must be non-empty, without `|` or outer spaces; "
                    f"got {name!r}"
                )
        if len(self.actions) > 62:
            raise ValueError("at most 62 actions (an action set is an int64 bit mask)")
        return self

    def names(self) -> tuple[str, ...]:
        """Returns the action names in the order of their bits: sorted."""
        return tuple(sorted(self.actions))

    def negative_names(self) -> tuple[str, ...]:
        """Returns the names of the negative actions, sorted."""
        return tuple(a for a in self.names() if self.actions[a].polarity == "negative")


class HistorySettings(Section):
    """How a user's events become windows of interactions."""

    max_length: Annotated[int, Field(ge=2)] = 100
    """Most interactions in one window; also what serving reads of a history."""
    min_context: Annotated[int, Field(ge=0)] = 20
    """Context-only interactions at the head of a user's later windows."""
    merge_window_ms: Annotated[int, Field(ge=0)] = 0
    """Rows of one user and item this close become one interaction; 0: same time."""

    @model_validator(mode="after")
    def _context_fits(self) -> HistorySettings:
        if self.min_context >= self.max_length:
            raise ValueError(
                f"`min_context` must be below `max_length`; got {self.min_context} "
                f"and {self.max_length}"
            )
        return self
