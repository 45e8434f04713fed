"""The counterfactual simulation: one history, two endings, two slates.

A simulated user starts from a real history and follows a random behaviour trajectory
over items that the recommender itself recommended. At item k the same history
branches: the control interaction, and the same plus a negative action. Both branches
share everything else, so that whatever differs after item k is the model's answer to
the negative action.

Source: Wang et al., RecSys 2023, arXiv:2308.12256, section on measuring
responsiveness.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from components.responsiveness import histories as history_arrays
from components.responsiveness.histories import Histories, Start
from schema import errors, features, settings

Recommend = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]
"""(item_id, action, timestamp, value, k) -> [batch, k] item ids; see ServedModel."""


class NothingRecommendedError(errors.InputError):
    """Some user was shown nothing: the catalogue, or the model, is exhausted."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the simulations ended with; rows are simulations."""

    branch_item_id: np.ndarray
    """[simulations] object (bytes): item k."""
    control: np.ndarray
    """[simulations, slate_size] object (bytes), the slate after the control."""
    treatment: dict[str, np.ndarray]
    """Treatment action to the same after the treatment."""
    history: Histories
    """The shared history before item k."""

    @property
    def history_item_id(self) -> np.ndarray:
        """[simulations, length] object (bytes): the shared history before item k."""
        return self.history.item_id

    @property
    def history_action(self) -> np.ndarray:
        """[simulations, length] object (bytes)."""
        return self.history.action


def joined(*actions: str) -> bytes:
    """Returns the action set as the contract writes it: sorted, joined with `|`."""
    return features.ACTION_SEPARATOR.join(sorted(set(actions))).encode()


def randomness(seed: int, first: int, number: int, steps: int) -> np.ndarray:
    """Returns the random numbers of some simulations.

    They are addressed by seed and simulation: neither batches nor the order in which
    a runner takes them have any influence.

    Args:
      seed: of the simulation.
      first: number of the first simulation among all.
      number: of simulations.
      steps: of each.

    Returns:
      [number, steps, 2] float64 in [0, 1): for the item, and for the action.
    """
    return np.stack(
        [
            np.random.default_rng([seed, first + row]).random((steps, 2))
            for row in range(number)
        ]
    )


class Behaviour:
    """What a simulated user does to what the recommender shows."""

    def __init__(self, recommend: Recommend, policy: settings.ResponsivenessSettings):
        names = sorted(policy.trajectory_actions)
        weight = np.array([policy.trajectory_actions[name] for name in names])
        self._recommend = recommend
        self._policy = policy
        self._actions = np.array([joined(name) for name in names], object)
        self._until = np.cumsum(weight / weight.sum())
        self.control_action = joined(policy.control_action)
        self.value = np.nan if policy.control_value is None else policy.control_value

    def slate(self, history: Histories, action: np.ndarray | None = None) -> np.ndarray:
        """Returns what is recommended after each history.

        Args:
          history: of each user.
          action: replaces the history's actions; default: they stand.

        Raises:
          NothingRecommendedError: some user is shown nothing.
        """
        items = self._recommend(
            history.item_id,
            history.action if action is None else action,
            history.timestamp,
            history.value,
            self._policy.slate_size,
        )
        if (items[:, 0] == b"").any():
            raise NothingRecommendedError(
                "a simulated user has met every candidate: `responsiveness."
                "trajectory_length` is too long for this catalogue; lower it"
            )
        return items

    def choose(self, shown: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Returns an item of each slate, drawn uniformly."""
        num_shown = (shown != b"").sum(axis=1)
        return shown[np.arange(len(shown)), (uniform * num_shown).astype(np.int64)]

    def act(self, history: Histories, item_id: np.ndarray, uniform: np.ndarray) -> None:
        """Lets each user do a random action of the trajectory to an item."""
        drawn = np.searchsorted(self._until, uniform, side="right")
        drawn = np.minimum(drawn, len(self._actions) - 1)
        history.append(item_id, self._actions[drawn], self.value, self._policy.step_ms)

    def control(self, history: Histories, item_id: np.ndarray) -> None:
        """Lets each user do the control action to an item."""
        history.append(item_id, self.control_action, self.value, self._policy.step_ms)

    def treated(self, history: Histories, action: str, count: int = 1) -> np.ndarray:
        """Returns the actions with `action` on top of the last control elements."""
        both = joined(self._policy.control_action, action)
        return history.with_last_actions(both, count)


def simulate(
    recommend: Recommend,
    starts: Sequence[Start],
    policy: settings.ResponsivenessSettings,
    uniform: np.ndarray,
    on_step: Callable[[], None] = lambda: None,
) -> Outcome:
    """Runs one batch of simulations in closed loop.

    Args:
      recommend: the served model.
      starts: one a simulation.
      policy: trajectory, control and treatments.
      uniform: [simulations, trajectory_length, 2], see `randomness`.
      on_step: called after each step.

    Raises:
      NothingRecommendedError: some user has no recommendation left.
    """
    behaviour = Behaviour(recommend, policy)
    history = Histories(starts, policy.trajectory_length)
    for step in range(policy.trajectory_length - 1):
        item_id = behaviour.choose(behaviour.slate(history), uniform[:, step, 0])
        behaviour.act(history, item_id, uniform[:, step, 1])
        on_step()
    branch_item_id = behaviour.choose(behaviour.slate(history), uniform[:, -1, 0])
    before = history.copy()
    behaviour.control(history, branch_item_id)
    control = behaviour.slate(history)
    treatment = {
        action: behaviour.slate(history, behaviour.treated(history, action))
        for action in policy.treatment_actions
    }
    on_step()
    return Outcome(branch_item_id, control, treatment, before)


def concatenate(outcomes: Sequence[Outcome]) -> Outcome:
    """Returns the outcomes of all batches as one, histories padded to one width."""
    return Outcome(
        branch_item_id=np.concatenate([o.branch_item_id for o in outcomes]),
        control=np.concatenate([o.control for o in outcomes]),
        treatment={
            action: np.concatenate([o.treatment[action] for o in outcomes])
            for action in outcomes[0].treatment
        },
        history=history_arrays.concatenate([o.history for o in outcomes]),
    )
