"""Simulated users about to meet item k, and the names of what is asked there."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.responsiveness.behaviour import Behaviour
from components.responsiveness.branches import Branches, Strings
from components.responsiveness.histories import Histories

DECAY, DOSE, GAP = "decay", "dose", "gap_ms"


class Probe(NamedTuple):
    """The name of a question; a point of a curve has a number, too."""

    name: str
    number: int = 0
    """The dose, the step after item k, or the milliseconds after it."""


IN_A_ROW, TAKEN_BACK, REPLAY = Probe("in_a_row"), Probe("taken_back"), Probe("replay")
LIKED_AFTER, SHORT = Probe("liked_after"), Probe("short_histories")
UNSAID = Probe("unsaid")


@dataclasses.dataclass(frozen=True)
class BranchPoint:
    """Simulated users about to meet item k, and what they may do to it."""

    behaviour: Behaviour
    history: Histories
    """Before item k; no probe changes it."""
    item_id: Strings
    """[simulations] bytes: item k."""
    treatment: str

    def control(self, steps: int = 1) -> Histories:
        """Returns the histories with item k, and room for `steps` with it."""
        history = self.history.copy(steps=steps)
        self.behaviour.control(history, self.item_id)
        return history

    def rows(self, chosen: NDArray[np.bool_]) -> BranchPoint:
        """Returns the users of a mask."""
        return dataclasses.replace(
            self, history=self.history.copy(chosen), item_id=self.item_id[chosen]
        )

    def answer(
        self, history: Histories, control: Strings | None = None, since: int = 0
    ) -> Branches:
        """Returns the answer to the treatment of item k, some elements later.

        Args:
          history: with item k, and the control done to it.
          control: the slate after it; default: it is asked for.
          since: elements after item k.
        """
        return self.behaviour.branches(
            history,
            self.item_id,
            self.behaviour.treated(history, self.treatment, since=since),
            self.behaviour.before(history, self.item_id, since=since),
            control,
        )
