"""Slates of the same simulated users, one for each ending of their histories."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BEFORE, CONTROL, TREATMENT = "before", "control", "treatment"

Strings = NDArray[np.object_]
"""Array of `bytes` (ids, action sets), as a string tensor is in numpy."""


@dataclasses.dataclass(frozen=True)
class Branches:
    """What is recommended after each ending; rows are simulations."""

    user_id: Strings
    """[simulations] bytes."""
    item_id: Strings
    """[simulations] bytes: item k, where the histories branch."""
    slates: dict[str, Strings]
    """`BEFORE` (item k not met, and left out), `CONTROL` and `TREATMENT` to
    [simulations, slate_size] bytes, b"" pads."""

    def __len__(self) -> int:
        return len(self.user_id)

    def rows(self, chosen: NDArray[np.bool_]) -> Branches:
        """Returns the simulations of a mask."""
        slates = {name: slate[chosen] for name, slate in self.slates.items()}
        return Branches(self.user_id[chosen], self.item_id[chosen], slates)


def without(slates: Strings, item_id: Strings) -> Strings:
    """Returns slates without one item each, or else without their last place.

    What was shown with item k not met thus compares with what is shown once it was: it
    is left out, and what follows moves up.

    Args:
      slates: [simulations, slate_size + 1] bytes.
      item_id: [simulations] bytes.

    Returns:
      [simulations, slate_size].
    """
    is_item = slates == item_id[:, None]
    is_item[:, -1] |= ~is_item.any(axis=1)
    left: Strings = slates[~is_item].reshape(len(slates), -1)
    return left


def concatenate(parts: Sequence[Branches]) -> Branches:
    """Returns the rows of several in order."""
    return Branches(
        np.concatenate([part.user_id for part in parts]),
        np.concatenate([part.item_id for part in parts]),
        {
            name: np.concatenate([part.slates[name] for part in parts])
            for name in parts[0].slates
        },
    )
