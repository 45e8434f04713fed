"""One batch of simulations: all that asks the model, and nothing that measures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from components.responsiveness import probes, simulation
from components.responsiveness.histories import Start
from schema import settings
from serving.bundle import saved_model

_PADDING = 20


@dataclasses.dataclass(frozen=True)
class Plan:
    """What every batch does."""

    policy: settings.ResponsivenessSettings
    """Its treatment actions are those that the feedback policy knows."""
    primary: str | None
    """The treatment that is looked at from every side; None: there is none."""
    undo_action: str
    members: probes.Members | None
    """Clusters of the dose-response curve; None: no curve."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """Some of the simulations."""

    first: int
    """Number of its first simulation among all."""
    starts: tuple[Start, ...]
    windows: tuple[Start, ...]
    """Whole real histories to replay; perhaps none."""


@dataclasses.dataclass(frozen=True)
class Slates:
    """What the model recommended to one batch, or to all."""

    outcome: simulation.Outcome | None
    probes: dict[str, probes.Pair]
    failure: str = ""
    """Why there is no outcome: the model recommended nothing."""


def model_recommend(
    model: saved_model.RetrievalModel, max_length: int
) -> simulation.Recommend:
    """Returns the served model as the simulation asks it.

    The query tower reads the newest `max_length` elements of a history. Only these are
    sent as history, padded to a multiple of a fixed length, so that a step costs no
    more however long the trajectory is; older items go as exclusions, so that they
    stay out of the slates.
    """

    def recommend(
        item_id: np.ndarray,
        action: np.ndarray,
        timestamp: np.ndarray,
        value: np.ndarray,
        k: int,
    ) -> np.ndarray:
        length = (item_id != b"").sum(axis=1)
        width = int(length.max(initial=0))
        if width <= max_length:
            sent = slice(0, -(-width // _PADDING) * _PADDING)
            arrays = (item_id[:, sent], action[:, sent], timestamp[:, sent])
            return model.recommend(*arrays, value[:, sent], k)[0]
        first = np.maximum(length - max_length, 0)
        column = np.minimum(
            first[:, None] + np.arange(max_length), item_id.shape[1] - 1
        )
        newest = (np.arange(len(item_id))[:, None], column)
        older = np.where(
            np.arange(int(first.max()))[None, :] < first[:, None],
            item_id[:, : int(first.max())],
            b"",
        )
        return model.recommend(
            item_id[newest],
            action[newest],
            timestamp[newest],
            value[newest],
            k,
            exclude_item_id=older,
        )[0]

    return recommend


def run(
    recommend: simulation.Recommend,
    batch: Batch,
    plan: Plan,
    on_step: Callable[[], None] = lambda: None,
) -> Slates:
    """Simulates one batch and asks the further questions of its first simulations."""
    try:
        return _run(recommend, batch, plan, on_step)
    except simulation.NothingRecommendedError as error:
        return Slates(None, {}, str(error))


def _run(
    recommend: simulation.Recommend,
    batch: Batch,
    plan: Plan,
    on_step: Callable[[], None],
) -> Slates:
    policy = plan.policy
    steps, most = policy.trajectory_length, max(policy.doses)
    uniform = simulation.randomness(
        policy.seed,
        batch.first,
        len(batch.starts),
        steps + policy.decay_steps + most,
    )
    outcome = simulation.simulate(
        recommend, batch.starts, policy, uniform[:, :steps], on_step
    )
    number = min(policy.probe_simulations - batch.first, len(batch.starts))
    behaviour = simulation.Behaviour(recommend, policy)
    pairs: dict[str, probes.Pair] = {}
    if plan.primary is None:
        return Slates(outcome, pairs)
    if batch.windows:
        pairs["replay"] = probes.replay(behaviour, batch.windows, plan.primary)
    if number <= 0:
        return Slates(outcome, pairs)
    before = outcome.history.copy(slice(0, number))
    item_k, uniform = outcome.branch_item_id[:number], uniform[:number, steps:]
    given = (behaviour, before, item_k, plan.primary)
    pairs["in_a_row"] = probes.in_a_row(*given)
    pairs["taken_back"] = probes.taken_back(*given, plan.undo_action, policy.step_ms)
    if policy.decay_steps:
        pairs.update(probes.decay(*given, uniform[:, : policy.decay_steps]))
    if plan.members is not None:
        rest = uniform[:, policy.decay_steps :, 0]
        pairs.update(probes.doses(*given, policy.doses, plan.members, rest))
    return Slates(outcome, pairs)


def concatenate(parts: Sequence[Slates]) -> Slates:
    """Returns the slates of all batches as one; any failure is the whole's."""
    failures = [part.failure for part in parts if part.failure]
    if failures:
        return Slates(None, {}, failures[0])
    names = {name: None for part in parts for name in part.probes}
    return Slates(
        simulation.concatenate([p.outcome for p in parts if p.outcome is not None]),
        {
            name: probes.concatenate(
                [part.probes[name] for part in parts if name in part.probes]
            )
            for name in names
        },
    )
