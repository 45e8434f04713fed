"""Further what-if questions at the same branch, each with two endings of one history.

| probe | the two endings |
|---|---|
| `decay.S` | control and treatment at item k, then the same S - 1 items after both |
| `dose.D` | the same items of item k's cluster, none or the last D of them treated |
| `in_a_row` | the last three items treated, whatever they are, or not |
| `taken_back` | item k treated or not, and then liked, in both |
| `replay` | the last event of a real history, treated or not; nothing is simulated |

Both endings hold the same items, so both have the same candidates and seen-filter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from components.responsiveness import simulation
from components.responsiveness.histories import Histories, Start
from schema import settings

_IN_A_ROW = 3
_NO_ITEMS = np.array([], object)


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two slates of the same simulations; rows are simulations."""

    user_id: np.ndarray
    """[simulations] object (bytes)."""
    branch_item_id: np.ndarray
    """[simulations] object (bytes)."""
    control: np.ndarray
    """[simulations, slate_size] object (bytes)."""
    treatment: np.ndarray
    """[simulations, slate_size] object (bytes)."""


def concatenate(pairs: Sequence[Pair]) -> Pair:
    """Returns the rows of several pairs in order."""
    names = [field.name for field in dataclasses.fields(Pair)]
    return Pair(*(np.concatenate([getattr(p, n) for p in pairs]) for n in names))


@dataclasses.dataclass(frozen=True)
class Members:
    """The items of each cluster, for doses of items that resemble item k."""

    cluster: Mapping[bytes, int]
    items: Mapping[int, np.ndarray]
    """Cluster to its items, [n] object (bytes), sorted."""

    @classmethod
    def of(cls, cluster: Mapping[bytes, int]) -> Members:
        """Returns the members of some clusters."""
        items: dict[int, list[bytes]] = {}
        for item in sorted(cluster):
            items.setdefault(cluster[item], []).append(item)
        return cls(cluster, {c: np.array(found, object) for c, found in items.items()})

    def of_item(self, item: bytes) -> np.ndarray:
        """Returns the items of an item's cluster; none where it has no cluster."""
        return self.items.get(self.cluster.get(item, -1), _NO_ITEMS)


def _pair(
    behaviour: simulation.Behaviour,
    history: Histories,
    branch_item_id: np.ndarray,
    action: np.ndarray,
) -> Pair:
    return Pair(
        history.user_id,
        branch_item_id,
        behaviour.slate(history),
        behaviour.slate(history, action),
    )


def decay(
    behaviour: simulation.Behaviour,
    before: Histories,
    branch_item_id: np.ndarray,
    treatment: str,
    uniform: np.ndarray,
) -> dict[str, Pair]:
    """Returns `decay.1` to `decay.S`: the answer at each of the next steps.

    Both histories grow by the same items, chosen from what the control is shown, so
    that only the treatment of item k tells them apart.

    Args:
      behaviour: of the users.
      before: the histories before item k.
      branch_item_id: [simulations] item k.
      treatment: the action.
      uniform: [simulations, S, 2] random numbers.
    """
    steps = uniform.shape[1]
    control = before.copy(steps=steps)
    behaviour.control(control, branch_item_id)
    treated = control.copy(steps=steps)
    treated.action = behaviour.treated(treated, treatment)
    pairs = {}
    for step in range(steps):
        shown = behaviour.slate(control)
        pairs[f"decay.{step + 1}"] = Pair(
            before.user_id, branch_item_id, shown, behaviour.slate(treated)
        )
        if step + 1 < steps:
            item_id = behaviour.choose(shown, uniform[:, step, 0])
            behaviour.act(control, item_id, uniform[:, step, 1])
            behaviour.act(treated, item_id, uniform[:, step, 1])
    return pairs


def doses(
    behaviour: simulation.Behaviour,
    before: Histories,
    branch_item_id: np.ndarray,
    treatment: str,
    doses_asked: Sequence[int],
    members: Members,
    uniform: np.ndarray,
) -> dict[str, Pair]:
    """Returns `dose.D` for each dose D; users whose cluster is used up are left out.

    Args:
      behaviour: of the users.
      before: the histories before item k.
      branch_item_id: [simulations] item k, the last and most recent of the items.
      treatment: the action.
      doses_asked: numbers of treated items.
      members: the clusters.
      uniform: [simulations, largest dose] random numbers.
    """
    most = max(doses_asked)
    chosen = np.full((len(before), most), b"", object)
    complete = np.zeros(len(before), bool)
    for row, item in enumerate(branch_item_id.tolist()):
        met = {*before.item_id[row].tolist(), item}
        left = np.array([i for i in members.of_item(item) if i not in met], object)
        if len(left) >= most - 1 and members.of_item(item).size:
            order = np.argsort(_spread(uniform[row], len(left)), kind="stable")
            chosen[row, : most - 1] = left[order[: most - 1]]
            chosen[row, most - 1] = item
            complete[row] = True
    rows = np.flatnonzero(complete)
    if not len(rows):
        return {}
    history = before.copy(rows, steps=most)
    for place in range(most):
        behaviour.control(history, chosen[rows, place])
    control = behaviour.slate(history)
    return {
        f"dose.{dose}": Pair(
            history.user_id,
            branch_item_id[rows],
            control,
            behaviour.slate(history, behaviour.treated(history, treatment, dose)),
        )
        for dose in doses_asked
    }


def _spread(uniform: np.ndarray, number: int) -> np.ndarray:
    """Returns `number` random keys that follow from a few random numbers."""
    seed = (uniform * 2**32).astype(np.uint64).tolist()
    return np.random.default_rng(seed).random(number)


def in_a_row(
    behaviour: simulation.Behaviour,
    before: Histories,
    branch_item_id: np.ndarray,
    treatment: str,
) -> Pair:
    """Returns the answer to three treatments of the last three items."""
    history = before.copy(steps=1)
    behaviour.control(history, branch_item_id)
    count = min(_IN_A_ROW, int(history.length.min()))
    history.action = history.with_last_actions(behaviour.control_action, count)
    action = behaviour.treated(history, treatment, count)
    return _pair(behaviour, history, branch_item_id, action)


def taken_back(
    behaviour: simulation.Behaviour,
    before: Histories,
    branch_item_id: np.ndarray,
    treatment: str,
    undo_action: str,
    step_ms: int,
) -> Pair:
    """Returns what is left of the answer when the user takes the treatment back.

    Taking back is a later positive interaction with the same item.
    """
    history = before.copy(steps=2)
    behaviour.control(history, branch_item_id)
    action = behaviour.treated(history, treatment)
    undone = simulation.joined(undo_action)
    history.append(branch_item_id, undone, behaviour.value, step_ms)
    rows = np.arange(len(history))
    action[rows, history.length - 1] = undone
    return _pair(behaviour, history, branch_item_id, action)


def replay(
    behaviour: simulation.Behaviour, windows: Sequence[Start], treatment: str
) -> Pair:
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
    return _pair(behaviour, history, history.item_id[rows, last], action)


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
