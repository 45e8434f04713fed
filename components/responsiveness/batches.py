"""Batches of simulations: all that asks the model, and nothing that measures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from components import progress
from components.held_out import Window
from components.responsiveness import behaviour, branch_point, probes, simulation
from components.responsiveness.branches import Strings
from schema import settings


@dataclasses.dataclass(frozen=True)
class Plan:
    """What every batch does."""

    policy: settings.ResponsivenessSettings
    """Its treatment actions are those that the feedback policy knows."""
    primary: str | None
    """The treatment that is looked at from every side; None: there is none."""
    stated: bytes
    """The action set by which the log states it."""
    undo_action: str
    alike: Mapping[bytes, Strings]
    """Item to all items alike, for doses; empty: no dose-response curve."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """Some of the simulations."""

    first: int
    """Number of its first simulation among all."""
    starts: tuple[Window, ...]
    windows: tuple[Window, ...]
    """Whole real histories to replay; perhaps none."""


RunBatches = Callable[[Sequence[Batch], Plan], simulation.Outcome]
"""Asks the model for every batch: in this process, or on Beam."""


def cut(starts: Sequence[Window], windows: Sequence[Window], size: int) -> list[Batch]:
    """Returns batches of `size` simulations.

    Args:
      starts: of each simulation.
      windows: of each user, no more than simulations.
      size: simulations of a batch; the last one may hold fewer.
    """
    return [
        Batch(i, tuple(starts[i : i + size]), tuple(windows[i : i + size]))
        for i in range(0, len(starts), size)
    ]


def run(
    recommend: behaviour.Recommend,
    batch: Batch,
    plan: Plan,
    on_step: Callable[[], None] = lambda: None,
) -> simulation.Outcome:
    """Simulates one batch and asks the further questions of its first simulations.

    Raises:
      NothingRecommendedError: some user has no recommendation left.
    """
    policy = plan.policy
    steps = policy.trajectory_length
    uniform = behaviour.randomness(
        policy.seed,
        batch.first,
        len(batch.starts),
        steps + probes.steps_needed(policy) + 1,
    )
    users = behaviour.Behaviour(recommend, policy)
    outcome = simulation.simulate(
        users, batch.starts, policy, uniform[:, :steps], on_step
    )
    if plan.primary is None:
        return outcome
    found = {}
    if batch.windows:
        found[branch_point.REPLAY] = probes.replay(users, batch.windows, plan.stated)
        of_length = uniform[: len(batch.windows), -1, 0]
        short = probes.beginnings(batch.windows, policy.short_history, of_length)
        found[branch_point.SHORT] = probes.replay(users, short, plan.stated)
    number = min(policy.probe_simulations - batch.first, len(batch.starts))
    if number > 0:
        point = branch_point.BranchPoint(
            users,
            outcome.history.copy(slice(0, number)),
            outcome.treatments[plan.primary].item_id[:number],
            plan.primary,
        )
        rest = uniform[:number, steps:-1]
        found |= probes.ask(point, policy, plan.undo_action, plan.alike, rest)
    return dataclasses.replace(outcome, probes=found)


def run_in_process(recommend: behaviour.Recommend) -> RunBatches:
    """Returns what runs batches one after the other, with progress."""

    def run_all(given: Sequence[Batch], plan: Plan) -> simulation.Outcome:
        total, done = len(given) * plan.policy.trajectory_length, 0

        def on_step() -> None:
            nonlocal done
            done += 1
            progress.report(done, total, "simulated steps")

        parts = [run(recommend, batch, plan, on_step) for batch in given]
        return simulation.concatenate(parts)

    return run_all
