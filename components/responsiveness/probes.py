"""Further what-if questions at the same branch, each with the endings of one history.

| probe | the endings |
|---|---|
| `decay`, number S | control and treatment at item k, then the same S - 1 items after |
| `gap_ms`, number T | control and treatment at item k, the same item T after |
| `dose`, number D | the same items alike to item k, none or the last D treated |
| `in_a_row` | the last three items treated, whatever they are, or not |
| `taken_back` | item k treated and then liked, beside liked alone |
| `unsaid` | all dislikes so far, and that of item k, beside none at all |
| `liked_after` | item k treated or not, then the same items alike to it liked |
| `replay` | the last event of a real history, treated or not, weeks later |
| `short_histories` | the same, of a history that ends after its first few events |

Control and treatment hold the same items, so both have the same candidates and
seen-filter. The slate before has all of them but item k, at their times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from components.held_out import Window
from components.responsiveness import same_kind, starts
from components.responsiveness.behaviour import Behaviour, joined
from components.responsiveness.branch_point import (
    DECAY,
    GAP,
    IN_A_ROW,
    TAKEN_BACK,
    UNSAID,
    BranchPoint,
    Probe,
)
from components.responsiveness.branches import Branches, Strings, without
from components.responsiveness.histories import Histories
from schema import settings

_IN_A_ROW = 3
_LATER_MS = 28 * 86_400_000
"""The same hour of the same weekday."""


def steps_of_decay(policy: settings.ResponsivenessSettings) -> list[int]:
    """Returns the steps after item k at which the answer is asked for, ascending."""
    persistent = {events + 1 for events in policy.persistence_events}
    return sorted({*range(1, policy.decay_steps + 1), *persistent})


def steps_needed(policy: settings.ResponsivenessSettings) -> int:
    """Returns how many steps of random numbers `ask` takes."""
    return max(steps_of_decay(policy), default=0) + max(policy.doses)


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
      alike: item to all items alike, itself included; see `same_kind`.
      uniform: [simulations, steps_needed, 2] random numbers in [0, 1).
    """
    steps = steps_of_decay(policy)
    until = max(steps, default=0)
    of_items = uniform[:, until:, 0]
    likes = policy.undoing_likes
    return {
        IN_A_ROW: in_a_row(point),
        TAKEN_BACK: taken_back(point, undo, policy.step_ms),
        UNSAID: unsaid(point),
        **same_kind.liked_after(point, undo, policy.step_ms, likes, alike, of_items),
        **decay(point, steps, policy.persistence_gaps_ms, uniform[:, :until]),
        **same_kind.doses(point, policy.doses, alike, of_items),
    }


def decay(
    point: BranchPoint,
    steps: Sequence[int],
    gaps_ms: Sequence[int],
    uniform: NDArray[np.float64],
) -> dict[Probe, Branches]:
    """Returns the answer at some of the next steps; the first is the next slate.

    All histories grow by the same items, chosen from what the control is shown, so
    that only item k tells them apart.

    Args:
      point: the users.
      steps: at which the answer is asked for, ascending; none: no answers.
      gaps_ms: times from item k to the one item after it, for an answer each; none
        where there is but one step.
      uniform: [simulations, steps, 2] random numbers.
    """
    if not steps:
        return {}
    behaviour, last = point.behaviour, steps[-1]
    history = point.control(last)
    found = {}
    for step in range(last):
        control = behaviour.slate(history)
        if step + 1 in steps:
            found[Probe(DECAY, step + 1)] = point.answer(history, control, step)
        if step + 1 == last:
            break
        item_id = behaviour.choose(control, uniform[:, step, 0])
        for gap in () if step else gaps_ms:
            later = history.copy(steps=1)
            behaviour.act(later, item_id, uniform[:, step, 1], gap)
            found[Probe(GAP, gap)] = point.answer(later, since=1)
        behaviour.act(history, item_id, uniform[:, step, 1])
    return found


def in_a_row(point: BranchPoint) -> Branches:
    """Returns the answer to three treatments of the last three items."""
    behaviour, history = point.behaviour, point.control()
    count = min(_IN_A_ROW, int(history.length.min()))
    history.action = history.with_last_actions(behaviour.control_action, count)
    return behaviour.branches(
        history,
        point.item_id,
        behaviour.treated(history, point.treatment, count),
        behaviour.before(history, point.item_id),
    )


def taken_back(point: BranchPoint, undo_action: str, step_ms: int) -> Branches:
    """Returns what is left of the answer when the user takes the treatment back.

    Taking back is a later positive interaction with the same item. The control is that
    interaction alone, at its time, as if the treated one had never been.
    """
    behaviour, history = point.behaviour, point.control(steps=2)
    history.append(point.item_id, joined(undo_action), behaviour.value, step_ms)
    return behaviour.branches(
        history,
        point.item_id,
        behaviour.treated(history, point.treatment, since=1),
        behaviour.before(history, point.item_id, count=2),
        behaviour.slate(history.without(1, since=1)),
    )


def unsaid(point: BranchPoint) -> Branches:
    """Returns the answer to item k beside the slate had nothing ever been disliked.

    Most users of a log have disliked something before they meet item k: what a model
    does to all of them is in their slate before, too. Here that slate is of a history
    in which the control was done instead.
    """
    behaviour, history = point.behaviour, point.control()
    action = behaviour.unsaid(point.history, point.treatment)
    shown = behaviour.slate(point.history, action, further=1)
    return behaviour.branches(
        history,
        point.item_id,
        behaviour.treated(history, point.treatment),
        without(shown, point.item_id),
    )


def replay(behaviour: Behaviour, windows: Sequence[Window], stated: bytes) -> Branches:
    """Returns the answer at the last event of real histories, without a closed loop.

    Nothing of it is the simulation's own: the event keeps its value and its time since
    the one before, the treatment is written as the log writes it, and all happens some
    weeks later, as whatever is served does.

    Args:
      behaviour: of the users.
      windows: whole real histories, at least one element each.
      stated: the action set that states the treatment.
    """
    history = Histories(windows, 0)
    rows = np.arange(len(history))
    history.timestamp[history.item_id != b""] += _LATER_MS
    last = history.length - 1
    history.action[rows, last] = behaviour.control_action
    item_k = history.item_id[rows, last]
    return behaviour.branches(
        history,
        item_k,
        history.with_last_actions(stated),
        behaviour.before(history, item_k),
    )


def beginnings(
    windows: Sequence[Window], longest: int, uniform: NDArray[np.float64]
) -> list[Window]:
    """Returns the first few elements of real histories.

    Args:
      windows: at least one element each.
      longest: most elements that are left, at least 2; the number is drawn from 2 on.
      uniform: [windows] random numbers in [0, 1).
    """
    lengths = 2 + (uniform * (longest - 1)).astype(np.int64)
    return [
        starts.first(window, length)
        for window, length in zip(windows, lengths.tolist(), strict=True)
    ]


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
