"""Questions that need further items of the kind of item k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from components.responsiveness.behaviour import joined
from components.responsiveness.branch_point import (
    DOSE,
    LIKED_AFTER,
    BranchPoint,
    Probe,
)
from components.responsiveness.branches import Branches, Strings


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
      uniform: [simulations, ...] random numbers.
    """
    others = max(doses_asked) - 1
    chosen, complete = _items_alike(point, others, alike, uniform)
    if not complete.any():
        return {}
    behaviour, some = point.behaviour, point.rows(complete)
    history = some.history.copy(steps=others + 1)
    for items in (*chosen.T, some.item_id):
        behaviour.control(history, items)
    before = behaviour.before(history, some.item_id)
    control = behaviour.slate(history)
    return {
        Probe(DOSE, dose): behaviour.branches(
            history,
            some.item_id,
            behaviour.treated(history, point.treatment, dose),
            before,
            control,
        )
        for dose in doses_asked
    }


def liked_after(
    point: BranchPoint,
    like: str,
    step_ms: int,
    number: int,
    alike: Mapping[bytes, Strings],
    uniform: NDArray[np.float64],
) -> dict[Probe, Branches]:
    """Returns what is left of the answer when the user goes on to like the same kind.

    Args:
      point: the users; those with too few items alike are left out.
      like: the action.
      step_ms: time between two likes.
      number: of likes.
      alike: as of `doses`.
      uniform: [simulations, ...] random numbers.
    """
    chosen, complete = _items_alike(point, number, alike, uniform)
    if not complete.any():
        return {}
    some = point.rows(complete)
    history = some.control(steps=number + 1)
    for items in chosen.T:
        history.append(items, joined(like), point.behaviour.value, step_ms)
    return {LIKED_AFTER: some.answer(history, since=number)}


def _items_alike(
    point: BranchPoint,
    number: int,
    alike: Mapping[bytes, Strings],
    uniform: NDArray[np.float64],
) -> tuple[Strings, NDArray[np.bool_]]:
    """Returns unmet items alike to item k, and who has enough of them.

    Returns:
      [users with enough, number] bytes, and [simulations] who they are.
    """
    rows, complete = [], np.zeros(len(point.item_id), bool)
    for row, item in enumerate(point.item_id.tolist()):
        met = {*point.history.item_id[row].tolist(), item}
        left = np.array([i for i in alike.get(item, ()) if i not in met], object)
        if item in alike and len(left) >= number:
            order = np.argsort(_spread(uniform[row], len(left)), kind="stable")
            rows.append(left[order[:number]])
            complete[row] = True
    return np.array(rows, object).reshape(len(rows), number), complete


def _spread(uniform: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Returns `number` random keys that follow from a few random numbers."""
    seed = (uniform * 2**32).astype(np.uint64).tolist()
    return np.random.default_rng(seed).random(number)
