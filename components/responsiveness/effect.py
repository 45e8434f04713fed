"""Responsiveness: the relative change of similarity that a treatment causes.

    S = mean over simulations of the mean likeness of the slate to item k
    responsiveness = (S_treatment - S_control) / S_control
    net_responsiveness = (S_treatment - S_before) / S_before

The first is the paper's. The second is what the user sees who said "not interested":
before is the slate that there would be without item k. Ratios of means, so that users
without any similarity are kept. Intervals are a paired bootstrap over users: each keeps
all endings of all its simulations.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.bootstrap import Mean, UserBootstrap
from components.responsiveness.branch_point import Probe
from components.responsiveness.branches import (
    BEFORE,
    CONTROL,
    TREATMENT,
    Branches,
    Strings,
)
from components.responsiveness.similarity import Similarity
from schema import reports, settings

_ALIKE = 0.1
"""One item of ten is wholly alike, or more of them in part."""
_NONE_OF_THIS_KIND = "no simulation is of this kind"


def no_answer(reason: str, simulations: int = 0) -> reports.Effect:
    """Returns the effect that could not be measured: nothing, and never 0."""
    return reports.Effect(
        before=None,
        control=None,
        treatment=None,
        responsiveness=None,
        low=None,
        high=None,
        net_responsiveness=None,
        net_low=None,
        net_high=None,
        simulations=simulations,
        reason=reason,
    )


def too_few_users(draws: UserBootstrap, min_users: int) -> str:
    """Returns that an interval over these users would be too narrow; "": it is not."""
    if draws.num_users >= min_users:
        return ""
    return (
        f"{draws.num_users} users are too few for an interval; at least "
        f"`responsiveness.min_users` = {min_users} are needed"
    )


def relative_change(
    likeness: Mapping[str, NDArray[np.float64]], draws: UserBootstrap, min_users: int
) -> reports.Effect:
    """Returns both changes with their paired bootstrap intervals over users.

    Args:
      likeness: `BEFORE`, `CONTROL` and `TREATMENT` to [simulations] of the slates.
      draws: of the users that were simulated, in the same order.
      min_users: fewer give no answer: a percentile interval of a handful of users is
        too narrow, and one of a single user has no width at all.
    """
    before, control = likeness[BEFORE], likeness[CONTROL]
    treatment = likeness[TREATMENT]
    if too_few := too_few_users(draws, min_users):
        return no_answer(too_few, len(control))
    value, low, high = _change(control, treatment, draws)
    net, net_low, net_high = _change(before, treatment, draws)
    reasons = {}
    if value is None:
        reasons["reason"] = (
            "no recommendation after the control interaction resembles item k, so "
            "there is nothing that could fall"
        )
    if net is None:
        reasons["net_reason"] = (
            "no recommendation before item k resembles it, so there is nothing that "
            "could fall"
        )
    return reports.Effect(
        before=float(before.mean()),
        control=float(control.mean()),
        treatment=float(treatment.mean()),
        responsiveness=value,
        low=low,
        high=high,
        net_responsiveness=net,
        net_low=net_low,
        net_high=net_high,
        simulations=len(control),
        **reasons,
    )


def _change(
    base: NDArray[np.float64], treatment: NDArray[np.float64], draws: UserBootstrap
) -> tuple[float | None, float | None, float | None]:
    """Returns the change of the mean, relative to the base's, and its interval.

    Nones where the base is 0, of which no change is relative.
    """
    if not base.sum() > 0.0:
        return None, None, None
    # The difference is summed as such: branches that agree give exactly 0.
    change = treatment - base
    # Rounding must not take it below what can be.
    value = max(float(change.sum() / base.sum()), -1.0)
    sums = draws.sums(np.stack([base, change], axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = draws.interval(value, sums[:, 1] / sums[:, 0]) or (None, None)
    return value, low, high


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

    def effects(
        self, branches: Branches | None, missing: str = _NONE_OF_THIS_KIND
    ) -> dict[str, reports.Effect]:
        """Returns the effect by each similarity.

        Args:
          branches: None: there are no simulations.
          missing: why there are none.
        """
        unsupported = {
            by.name: no_answer(by.reason) for by in self.similarities if by.reason
        }
        return unsupported | self.supported_effects(branches, missing)

    def supported_effects(
        self, branches: Branches | None, missing: str = _NONE_OF_THIS_KIND
    ) -> dict[str, reports.Effect]:
        """Returns the same by the similarities that can compare alone."""
        if branches is None or not len(branches):
            none = no_answer(missing)
            return {by.name: none for by in self.supported}
        draws = self.draws(branches)
        return {
            by.name: relative_change(
                {
                    name: by.share(slates, branches.item_id)
                    for name, slates in branches.slates.items()
                },
                draws,
                self.policy.min_users,
            )
            for by in self.supported
        }

    def kept(self, branches: Branches) -> reports.Kept:
        """Returns how much of the slates the treatment leaves."""
        treatment = branches.slates[TREATMENT]
        return reports.Kept(
            of_before=_kept(branches.slates[BEFORE], treatment),
            of_control=_kept(branches.slates[CONTROL], treatment),
            simulations=len(branches),
        )

    def unheard(self, branches: Branches) -> dict[str, reports.Interval]:
        """Returns the share of simulations in which a dislike takes nothing away.

        A mean hides that half of the users, or of the items, have no answer at all.
        Simulations count whose slate before held something that resembles item k.
        """
        likeness = {
            by.name: {
                name: by.share(branches.slates[name], branches.item_id)
                for name in (BEFORE, TREATMENT)
            }
            for by in self.supported
        }
        return self.draws(branches).means(
            {
                name: Mean(
                    (found[TREATMENT] >= found[BEFORE]).astype(np.float64),
                    found[BEFORE] > _ALIKE,
                )
                for name, found in likeness.items()
            }
        )

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


def _kept(base: Strings, treatment: Strings) -> float | None:
    """Returns which share of the base's items the treatment's slates hold."""
    shown = base != b""
    if not shown.any():
        return None
    there = (base[:, :, None] == treatment[:, None, :]).any(axis=2)
    return float((there & shown).sum() / shown.sum())
