"""Further what-if questions at the same branch, each with two endings of one history.

| probe | the two endings |
|---|---|
| `decay`, number S | control and treatment at item k, then the same S - 1 items after |
| `dose`, number D | the same items alike to item k, none or the last D treated |
| `in_a_row` | the last three items treated, whatever they are, or not |
| `taken_back` | item k treated or not, and then liked, in both |
| `replay` | the last event of a real history, treated or not; nothing is simulated |

Both endings hold the same items, so both have the same candidates and seen-filter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.held_out import Window
from components.responsiveness.behaviour import Behaviour, joined
from components.responsiveness.branches import CONTROL, Branches, Strings
from components.responsiveness.histories import Histories
from schema import settings

DECAY, DOSE = "decay", "dose"
_IN_A_ROW = 3


class Probe(NamedTuple):
    """The name of a question; a point of a curve has a number, too."""

    name: str
    number: int = 0
    """The dose, or the step after item k."""


IN_A_ROW, TAKEN_BACK, REPLAY = Probe("in_a_row"), Probe("taken_back"), Probe("replay")


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


def steps_needed(policy: settings.ResponsivenessSettings) -> int:
    """Returns how many steps of random numbers `ask` takes."""
    return policy.decay_steps + max(policy.doses)


def ask(
    point: BranchPoint,
    policy: settings.ResponsivenessSettings,
    undo: str,
    alike: Mapping[bytes, Strings],
    uniform: NDArray[np.float64],
) -> dict[Probe, Branches]:
    """Returns the answers to every question that starts from item k.

    Args:
      point: the users.
      policy: doses and steps.
      undo: the action that takes a treatment back.
      alike: item to all items alike, itself included; see `doses`.
      uniform: [simulations, steps_needed, 2] random numbers in [0, 1).
    """
    until = policy.decay_steps
    return {
        IN_A_ROW: in_a_row(point),
        TAKEN_BACK: taken_back(point, undo, policy.step_ms),
        **decay(point, uniform[:, :until]),
        **doses(point, policy.doses, alike, uniform[:, until:, 0]),
    }


def decay(point: BranchPoint, uniform: NDArray[np.float64]) -> dict[Probe, Branches]:
    """Returns the answer at each of the next steps; the first is the next slate.

    Both histories grow by the same items, chosen from what the control is shown, so
    that only the treatment of item k tells them apart.

    Args:
      point: the users.
      uniform: [simulations, steps, 2] random numbers; no steps: no answers.
    """
    steps, behaviour = uniform.shape[1], point.behaviour
    history = point.control(max(steps, 1))
    found = {}
    for step in range(steps):
        action = behaviour.treated(history, point.treatment, since=step)
        answer = behaviour.branches(history, point.item_id, action)
        found[Probe(DECAY, step + 1)] = answer
        if step + 1 < steps:
            shown = answer.slates[CONTROL]
            item_id = behaviour.choose(shown, uniform[:, step, 0])
            behaviour.act(history, item_id, uniform[:, step, 1])
    return found


def doses(
    point: BranchPoint,
    doses_asked: Sequence[int],
    alike: Mapping[bytes, Strings],
    uniform: NDArray[np.float64],
) -> dict[Probe, Branches]:
    """Returns the answer to each dose; users with too few items alike are left out.

    Args:
      point: the users; item k is the last and most recent of the treated items.
      doses_asked: numbers of treated items.
      alike: item to all items alike, itself included, sorted; an item that resembles
        nothing is missing.
      uniform: [simulations, largest dose] random numbers.
    """
    before, most = point.history, max(doses_asked)
    chosen = np.full((len(before), most), b"", object)
    complete = np.zeros(len(before), bool)
    for row, item in enumerate(point.item_id.tolist()):
        met = {*before.item_id[row].tolist(), item}
        left = np.array([i for i in alike.get(item, ()) if i not in met], object)
        if item in alike and len(left) >= most - 1:
            order = np.argsort(_spread(uniform[row], len(left)), kind="stable")
            chosen[row, :-1] = left[order[: most - 1]]
            chosen[row, -1] = item
            complete[row] = True
    if not complete.any():
        return {}
    behaviour = point.behaviour
    history = before.copy(complete, steps=most)
    for place in range(most):
        behaviour.control(history, chosen[complete, place])
    control = behaviour.slate(history)
    return {
        Probe(DOSE, dose): behaviour.branches(
            history,
            point.item_id[complete],
            behaviour.treated(history, point.treatment, dose),
            control,
        )
        for dose in doses_asked
    }


def _spread(uniform: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Returns `number` random keys that follow from a few random numbers."""
    seed = (uniform * 2**32).astype(np.uint64).tolist()
    return np.random.default_rng(seed).random(number)


def in_a_row(point: BranchPoint) -> Branches:
    """Returns the answer to three treatments of the last three items."""
    behaviour, history = point.behaviour, point.control()
    count = min(_IN_A_ROW, int(history.length.min()))
    history.action = history.with_last_actions(behaviour.control_action, count)
    action = behaviour.treated(history, point.treatment, count)
    return behaviour.branches(history, point.item_id, action)


def taken_back(point: BranchPoint, undo_action: str, step_ms: int) -> Branches:
    """Returns what is left of the answer when the user takes the treatment back.

    Taking back is a later positive interaction with the same item.
    """
    behaviour, history = point.behaviour, point.control(steps=2)
    history.append(point.item_id, joined(undo_action), behaviour.value, step_ms)
    action = behaviour.treated(history, point.treatment, since=1)
    return behaviour.branches(history, point.item_id, action)


def replay(behaviour: Behaviour, windows: Sequence[Window], treatment: str) -> Branches:
    """Returns the answer at the last event of real histories, without a closed loop.

    Args:
      behaviour: of the users.
      windows: whole real histories, at least one element each.
      treatment: the action.
    """
    history = Histories(windows, 0)
    rows = np.arange(len(history))
    last = history.length - 1
    history.action[rows, last] = behaviour.control_action
    history.value[rows, last] = behaviour.value
    action = behaviour.treated(history, treatment)
    return behaviour.branches(history, history.item_id[rows, last], action)


def undo_action(
    policy: settings.ResponsivenessSettings, feedback: settings.FeedbackSettings
) -> str:
    """Returns the strongest positive action; the control action where there is none."""
    positive = {
        name: action.weight
        for name, action in feedback.actions.items()
        if action.polarity == "positive"
    }
    if not positive:
        return policy.control_action
    return max(sorted(positive), key=lambda name: positive[name])
