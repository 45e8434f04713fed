"""Slates of the same simulated users, one for each ending of their histories."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CONTROL, TREATMENT = "control", "treatment"

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
    """`CONTROL` and `TREATMENT` to [simulations, slate_size] bytes, b"" pads."""

    def __len__(self) -> int:
        return len(self.user_id)

    def rows(self, chosen: NDArray[np.bool_]) -> Branches:
        """Returns the simulations of a mask."""
        slates = {name: slate[chosen] for name, slate in self.slates.items()}
        return Branches(self.user_id[chosen], self.item_id[chosen], slates)


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
