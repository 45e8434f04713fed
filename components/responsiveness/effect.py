"""Responsiveness: the relative change of similarity that a treatment causes.

    S = mean over simulations of the share of the slate that resembles item k
    responsiveness = (S_treatment - S_control) / S_control

A ratio of means, so that users without any control similarity are kept. Intervals are
a paired bootstrap over users: each keeps both branches of all its simulations.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.bootstrap import UserBootstrap
from components.responsiveness.branches import CONTROL, TREATMENT, Branches
from components.responsiveness.probes import Probe
from components.responsiveness.similarity import Similarity
from schema import reports, settings


def no_answer(reason: str, simulations: int = 0) -> reports.Effect:
    """Returns the effect that could not be measured: nothing, and never 0."""
    return reports.Effect(
        control=None,
        treatment=None,
        responsiveness=None,
        low=None,
        high=None,
        simulations=simulations,
        reason=reason,
    )


def relative_change(
    control: NDArray[np.float64],
    treatment: NDArray[np.float64],
    draws: UserBootstrap,
    min_users: int,
) -> reports.Effect:
    """Returns the responsiveness with its paired bootstrap interval over users.

    Args:
      control: [simulations] similarity after the control.
      treatment: the same after the treatment, same order.
      draws: of the users that were simulated, in the same order.
      min_users: fewer give no answer: a percentile interval of a handful of users is
        too narrow, and one of a single user has no width at all.
    """
    if draws.num_users < min_users:
        return no_answer(
            f"{draws.num_users} users are too few for an interval; at least "
            f"`responsiveness.min_users` = {min_users} are needed",
            len(control),
        )
    if not control.sum() > 0.0:
        return no_answer(
            "no recommendation after the control interaction resembles item k, so "
            "there is nothing that could fall",
            len(control),
        )
    # The difference is summed as such: branches that agree give exactly 0.
    change = treatment - control
    value = float(change.sum() / control.sum())
    sums = draws.sums(np.stack([control, change], axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = draws.interval(value, sums[:, 1] / sums[:, 0]) or (None, None)
    return reports.Effect(
        control=float(control.mean()),
        treatment=float(treatment.mean()),
        responsiveness=value,
        low=low,
        high=high,
        simulations=len(control),
    )


@dataclasses.dataclass(frozen=True)
class EffectEstimator:
    """Measures what a treatment changes, by each similarity."""

    similarities: tuple[Similarity, ...]
    policy: settings.ResponsivenessSettings

    @property
    def supported(self) -> list[Similarity]:
        """The similarities that can compare, content before the others."""
        return [by for by in self.similarities if by.reason is None]

    @property
    def leading(self) -> Similarity | None:
        """The first similarity that can compare."""
        return next(iter(self.supported), None)

    def draws(self, branches: Branches) -> UserBootstrap:
        """Returns the bootstrap over the users of some branches."""
        policy = self.policy
        return UserBootstrap(
            branches.user_id, policy.bootstrap_samples, policy.confidence, policy.seed
        )

    def effects(self, branches: Branches | None) -> dict[str, reports.Effect]:
        """Returns the effect by each similarity; None: there are no simulations."""
        unsupported = {
            by.name: no_answer(by.reason) for by in self.similarities if by.reason
        }
        return unsupported | self.supported_effects(branches)

    def supported_effects(self, branches: Branches | None) -> dict[str, reports.Effect]:
        """Returns the same by the similarities that can compare alone."""
        if branches is None or not len(branches):
            none = no_answer("no simulation is of this kind")
            return {by.name: none for by in self.supported}
        draws = self.draws(branches)
        return {
            by.name: relative_change(
                by.share(branches.slates[CONTROL], branches.item_id),
                by.share(branches.slates[TREATMENT], branches.item_id),
                draws,
                self.policy.min_users,
            )
            for by in self.supported
        }

    def curve(
        self, probes: Mapping[Probe, Branches], name: str
    ) -> dict[str, list[reports.CurvePoint]]:
        """Returns a probe's effects over its numbers, by each similarity that can.

        Args:
          probes: of all names.
          name: of the probe; the points have a field of this name.
        """
        points: dict[str, list[reports.CurvePoint]] = {
            by.name: [] for by in self.supported
        }
        for probe in sorted(probe for probe in probes if probe.name == name):
            for by, effect in self.supported_effects(probes[probe]).items():
                content = {name: probe.number, **effect.model_dump(exclude_unset=True)}
                points[by].append(reports.CurvePoint(**content))
        return points
