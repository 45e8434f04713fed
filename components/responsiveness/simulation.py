"""The counterfactual simulation: one history, two endings, and the slate before.

A simulated user starts from a real history and follows a random behaviour trajectory
over items that the recommender itself recommended. At item k the same history
branches: the control interaction, and the same plus a negative action. Both branches
share everything else, so that whatever differs after item k is the model's answer to
the negative action. What was recommended before item k, without it, is what the user
compares the answer with.

Source: Wang et al., RecSys 2023, arXiv:2308.12256, section on measuring
responsiveness.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from components.held_out import Window
from components.responsiveness import branches, histories
from components.responsiveness.behaviour import Behaviour
from components.responsiveness.branch_point import Probe
from components.responsiveness.branches import Branches
from schema import settings

_Key = TypeVar("_Key")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What was recommended to some simulations, or to all; rows are simulations."""

    history: histories.Histories
    """What the branches share: the history before item k."""
    treatments: dict[str, Branches]
    """Treatment action to the slates with and without it."""
    probes: dict[Probe, Branches] = dataclasses.field(default_factory=dict)
    """Answers to the further questions, of some simulations."""


def simulate(
    behaviour: Behaviour,
    starts: Sequence[Window],
    policy: settings.ResponsivenessSettings,
    uniform: NDArray[np.float64],
    on_step: Callable[[], None] = lambda: None,
) -> Outcome:
    """Runs one batch of simulations in closed loop.

    Args:
      behaviour: of the users, to what the served model recommends.
      starts: the real history that each simulation starts from.
      policy: trajectory and treatments.
      uniform: [simulations, trajectory_length, 2], see `behaviour.randomness`.
      on_step: called after each step.

    Raises:
      NothingRecommendedError: some user has no recommendation left.
    """
    history = histories.Histories(starts, policy.trajectory_length)
    for step in range(policy.trajectory_length - 1):
        item_id = behaviour.choose(behaviour.slate(history), uniform[:, step, 0])
        behaviour.act(history, item_id, uniform[:, step, 1])
        on_step()
    # One place more than the slate has: item k, which is one of the others, leaves it.
    shown = behaviour.slate(history, further=1)
    item_id = behaviour.choose(shown[:, :-1], uniform[:, -1, 0])
    before = history.copy()
    behaviour.control(history, item_id)
    control = behaviour.slate(history)
    treatments = {
        action: behaviour.branches(
            history,
            item_id,
            behaviour.treated(history, action),
            branches.without(shown, item_id),
            control,
        )
        for action in policy.treatment_actions
    }
    on_step()
    return Outcome(before, treatments)


def concatenate(parts: Sequence[Outcome]) -> Outcome:
    """Returns the outcomes of all batches as one, histories padded to one width."""
    return Outcome(
        histories.concatenate([part.history for part in parts]),
        _concatenate([part.treatments for part in parts]),
        _concatenate([part.probes for part in parts]),
    )


def _concatenate(parts: Sequence[Mapping[_Key, Branches]]) -> dict[_Key, Branches]:
    # A batch may lack a probe: its simulations are beyond the first ones.
    names = {name: None for part in parts for name in part}
    return {
        name: branches.concatenate([part[name] for part in parts if name in part])
        for name in names
    }
