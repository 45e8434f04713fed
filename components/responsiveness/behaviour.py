"""What simulated users do to what they are shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from components.responsiveness.branches import (
    BEFORE,
    CONTROL,
    TREATMENT,
    Branches,
    Strings,
    without,
)
from components.responsiveness.histories import Histories
from schema import errors, features, settings

Recommend = Callable[
    [Strings, Strings, NDArray[np.int64], NDArray[np.float32], int], Strings
]
"""(item_id, action, timestamp, value, k) -> [batch, k] item ids, b"" pads."""


class NothingRecommendedError(errors.InputError):
    """Some user was shown nothing: the catalogue, or the model, is exhausted."""


def joined(*actions: str) -> bytes:
    """Returns the action set as the contract writes it: sorted, joined with `|`."""
    return features.ACTION_SEPARATOR.join(sorted(set(actions))).encode()


def randomness(seed: int, first: int, number: int, steps: int) -> NDArray[np.float64]:
    """Returns the random numbers of some simulations.

    They are addressed by seed and simulation: neither batches nor the order in which
    a runner takes them have any influence.

    Args:
      seed: of all simulations.
      first: number of the first simulation among all.
      number: of simulations.
      steps: of each.

    Returns:
      [number, steps, 2] in [0, 1): for the item, and for the action.
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

    def slate(
        self, history: Histories, action: Strings | None = None, further: int = 0
    ) -> Strings:
        """Returns what is recommended after each history.

        Args:
          history: of each user.
          action: replaces the history's actions; default: they stand.
          further: places beyond the slate's size.

        Raises:
          NothingRecommendedError: some user is shown nothing.
        """
        items = self._recommend(
            history.item_id,
            history.action if action is None else action,
            history.timestamp,
            history.value,
            self._policy.slate_size + further,
        )
        if (items[:, 0] == b"").any():
            raise NothingRecommendedError(
                "a simulated user has met every candidate: `responsiveness."
                "trajectory_length` is too long for this catalogue; lower it"
            )
        return items

    def branches(
        self,
        history: Histories,
        item_id: Strings,
        action: Strings,
        before: Strings,
        control: Strings | None = None,
    ) -> Branches:
        """Returns the slates before item k, and with and without a treatment of it.

        Args:
          history: with item k, and the control done to it.
          item_id: [simulations] item k.
          action: the history's actions with the treatment among them.
          before: the slate had item k not been met, see `before`.
          control: the slate after the control; default: it is asked for.
        """
        if control is None:
            control = self.slate(history)
        treatment = self.slate(history, action)
        slates = {BEFORE: before, CONTROL: control, TREATMENT: treatment}
        return Branches(history.user_id, item_id, slates)

    def before(
        self, history: Histories, item_id: Strings, count: int = 1, since: int = 0
    ) -> Strings:
        """Returns the slates had an item not been met, without it.

        Args:
          history: with item k.
          item_id: [simulations] item k.
          count: of its elements, next to each other.
          since: elements after them, which stand.
        """
        unmet = history.without(count, since)
        return without(self.slate(unmet, further=1), item_id)

    def choose(self, shown: Strings, uniform: NDArray[np.float64]) -> Strings:
        """Returns an item of each slate, drawn uniformly."""
        num_shown = (shown != b"").sum(axis=1)
        place = (uniform * num_shown).astype(np.int64)
        chosen: Strings = shown[np.arange(len(shown)), place]
        return chosen

    def act(
        self,
        history: Histories,
        item_id: Strings,
        uniform: NDArray[np.float64],
        after_ms: int | None = None,
    ) -> None:
        """Lets each user do a random action of the trajectory to an item.

        Args:
          history: of each user; it grows by one element.
          item_id: [simulations].
          uniform: [simulations] random numbers in [0, 1).
          after_ms: time since the last element; default: a step.
        """
        drawn = np.searchsorted(self._until, uniform, side="right")
        drawn = np.minimum(drawn, len(self._actions) - 1)
        after_ms = self._policy.step_ms if after_ms is None else after_ms
        history.append(item_id, self._actions[drawn], self.value, after_ms)

    def control(self, history: Histories, item_id: Strings) -> None:
        """Lets each user do the control action to an item."""
        history.append(item_id, self.control_action, self.value, self._policy.step_ms)

    def treated(
        self, history: Histories, action: str, count: int = 1, since: int = 0
    ) -> Strings:
        """Returns the actions with `action` on top of `count` control elements.

        Args:
          history: of each user.
          action: the treatment.
          count: of treated elements, the last ones.
          since: elements after them, which stand.
        """
        both = joined(self._policy.control_action, action)
        return history.with_last_actions(both, count, since)

    def unsaid(self, history: Histories, action: str) -> Strings:
        """Returns the actions as if one had never been done, but the control instead.

        Args:
          history: of each user.
          action: the one, alone or in a set.
        """
        name, separator = action.encode(), features.ACTION_SEPARATOR.encode()
        replaced = history.action.copy()
        for at in zip(*np.nonzero(replaced != b""), strict=True):
            if name in replaced[at].split(separator):
                replaced[at] = self.control_action
        return replaced
