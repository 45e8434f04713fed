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

from schema import errors, features, settings

Recommend = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]
"""(item_id, action, timestamp, value, k) -> [batch, k] item ids; see ServedModel."""


@dataclasses.dataclass(frozen=True)
class Start:
    """The real history that a simulated user starts from, oldest first."""

    user_id: bytes
    item_id: np.ndarray
    """[length] object (bytes)."""
    action: np.ndarray
    """[length] object (bytes)."""
    timestamp: np.ndarray
    """[length] int64 milliseconds."""
    value: np.ndarray
    """[length] float32, NaN: absent."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the simulations ended with; rows are simulations."""

    branch_item_id: np.ndarray
    """[simulations] object (bytes): item k."""
    control: np.ndarray
    """[simulations, slate_size] object (bytes), the slate after the control."""
    treatment: dict[str, np.ndarray]
    """Treatment action to the same after the treatment."""
    history_item_id: np.ndarray
    """[simulations, length] object (bytes): the shared history before item k."""
    history_action: np.ndarray
    """[simulations, length] object (bytes)."""


def joined(*actions: str) -> bytes:
    """Returns the action set as the contract writes it: sorted, joined with `|`."""
    return features.ACTION_SEPARATOR.join(sorted(set(actions))).encode()


class _Histories:
    """Growing histories of one batch in arrays of fixed width, padded at the end."""

    def __init__(self, starts: Sequence[Start], steps: int):
        longest = max((len(start.item_id) for start in starts), default=0)
        shape = (len(starts), longest + steps)
        self.item_id = np.full(shape, b"", object)
        self.action = np.full(shape, b"", object)
        self.timestamp = np.zeros(shape, np.int64)
        self.value = np.full(shape, np.nan, np.float32)
        self.length = np.array([len(start.item_id) for start in starts])
        for row, start in enumerate(starts):
            filled = slice(0, len(start.item_id))
            self.item_id[row, filled] = start.item_id
            self.action[row, filled] = start.action
            self.timestamp[row, filled] = start.timestamp
            self.value[row, filled] = start.value
        self._rows = np.arange(len(starts))

    def append(
        self, item_id: np.ndarray, action: np.ndarray, value: float, step_ms: int
    ) -> None:
        """Adds one element to every history, `step_ms` after the last."""
        at = (self._rows, self.length)
        before = np.maximum(self.length - 1, 0)
        self.item_id[at] = item_id
        self.action[at] = action
        self.timestamp[at] = self.timestamp[self._rows, before] + step_ms
        self.value[at] = value
        self.length = self.length + 1

    def replace_last_action(self, action: bytes) -> np.ndarray:
        """Returns the action array with another action in the last element."""
        replaced = self.action.copy()
        replaced[self._rows, self.length - 1] = action
        return replaced


def simulate(
    recommend: Recommend,
    starts: Sequence[Start],
    policy: settings.ResponsivenessSettings,
    rng: np.random.Generator,
    on_step: Callable[[], None] = lambda: None,
) -> Outcome:
    """Runs one batch of simulations in closed loop.

    Args:
      recommend: the served model.
      starts: one a simulation.
      policy: trajectory, control and treatments.
      rng: source of the chosen items and actions.
      on_step: called after each step.

    Raises:
      InputError: some user has no recommendation left.
    """
    names = sorted(policy.trajectory_actions)
    weight = np.array([policy.trajectory_actions[name] for name in names])
    actions = np.array([joined(name) for name in names], object)
    value = np.nan if policy.control_value is None else policy.control_value
    histories = _Histories(starts, policy.trajectory_length)
    rows = np.arange(len(starts))

    def slate(action: np.ndarray) -> np.ndarray:
        items = recommend(
            histories.item_id,
            action,
            histories.timestamp,
            histories.value,
            policy.slate_size,
        )
        if (items[:, 0] == b"").any():
            raise errors.InputError(
                "a simulated user has met every candidate: `responsiveness."
                "trajectory_length` is too long for this catalogue; lower it"
            )
        return items

    def choose() -> np.ndarray:
        shown = slate(histories.action)
        num_shown = (shown != b"").sum(axis=1)
        return shown[rows, rng.integers(0, num_shown)]

    for _ in range(policy.trajectory_length - 1):
        item_id = choose()
        drawn = rng.choice(len(names), size=len(starts), p=weight / weight.sum())
        histories.append(item_id, actions[drawn], value, policy.step_ms)
        on_step()
    branch_item_id = choose()
    before = (histories.item_id.copy(), histories.action.copy())
    control_action = np.full(len(starts), joined(policy.control_action), object)
    histories.append(branch_item_id, control_action, value, policy.step_ms)
    control = slate(histories.action)
    treatment = {
        action: slate(
            histories.replace_last_action(joined(policy.control_action, action))
        )
        for action in policy.treatment_actions
    }
    on_step()
    return Outcome(branch_item_id, control, treatment, *before)


def concatenate(outcomes: Sequence[Outcome]) -> Outcome:
    """Returns the outcomes of all batches as one, histories padded to one width."""
    width = max(outcome.history_item_id.shape[1] for outcome in outcomes)

    def padded(array: np.ndarray) -> np.ndarray:
        wide = np.full((len(array), width), b"", object)
        wide[:, : array.shape[1]] = array
        return wide

    return Outcome(
        branch_item_id=np.concatenate([o.branch_item_id for o in outcomes]),
        control=np.concatenate([o.control for o in outcomes]),
        treatment={
            action: np.concatenate([o.treatment[action] for o in outcomes])
            for action in outcomes[0].treatment
        },
        history_item_id=np.concatenate([padded(o.history_item_id) for o in outcomes]),
        history_action=np.concatenate([padded(o.history_action) for o in outcomes]),
    )
