"""What responsiveness must be shown by: policy, catalogue and log decide.

What a report lacks is never a reason to ask for less.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from components.promotion_gate import rule
from components.responsiveness import category_overlap, clusters
from schema import reports, settings
from serving.bundle import catalog

JUDGE = "audience_nearest"
"""The judge: of audiences that nothing learns from."""
_BY_CATALOGUE = ("category_overlap", "creator")
_BY_LOG = "cooccurrence"
CLUSTERS = ("content", "creator")
"""Of the catalogue: what collateral damage and concentration are looked for in."""


@dataclasses.dataclass(frozen=True)
class Grounds:
    """What there is to ask by, known without the report."""

    explicit_actions: tuple[str, ...]
    """Simulated treatments that are explicit negative actions, the primary one
    first."""
    has_judge: bool
    """Whether the policy sets users aside who judge."""
    catalogue: frozenset[str]
    """Similarities that the catalogue can compare items by."""

    @property
    def primary_action(self) -> str | None:
        """The action that is looked at from every side."""
        return next(iter(self.explicit_actions), None)


def supported(items: Mapping[bytes, catalog.Item]) -> frozenset[str]:
    """Returns the similarities that a catalogue can compare its items by.

    Args:
      items: of the model; a model without any has lost its file: all are asked for.
    """
    if not items:
        return frozenset({*_BY_CATALOGUE, *CLUSTERS})
    sets = {item: tuple(sorted({*entry.categories})) for item, entry in items.items()}
    creators = {item: entry.creator_id for item, entry in items.items()}
    found = {
        "category_overlap": category_overlap.of(sets).compares_anything,
        "content": clusters.compares_anything(clusters.of_equal(sets)),
        "creator": clusters.compares_anything(clusters.of_equal(creators)),
    }
    return frozenset(name for name, is_supported in found.items() if is_supported)


@dataclasses.dataclass(frozen=True)
class Demands:
    """What must respond, and in what nothing else may be lost."""

    effects: tuple[tuple[str, str], ...]
    """(similarity, action), the judge first."""
    collateral: tuple[str, ...]
    """Similarities."""
    specificity: tuple[str, ...]
    """Similarities by which the answer must be aimed; of the catalogue."""
    told: tuple[reports.Rule, ...] = ()
    """What is not asked, and why; or that nothing can be."""


def of(
    grounds: Grounds,
    responsiveness: reports.Responsiveness,
    policy: settings.GateSettings,
) -> Demands:
    """Returns what the gate asks of a model.

    By default the judge, and what the catalogue supports of graded categories and
    creators, for each explicit negative action. Where there is none of these,
    co-occurrence clusters of the training log, which need neither.

    Args:
      grounds: what there is to ask by.
      responsiveness: tells alone whether the judge's log is too thin.
      policy: the gate's section.
    """
    primary = grounds.primary_action
    if policy.similarities is not None:
        effects = tuple(map(reports.similarity_and_action, policy.similarities))
        named = [name for name, action in effects if action == primary]
        return Demands(
            effects,
            tuple(name for name in named if name in (*CLUSTERS, _BY_LOG)),
            tuple(name for name in named if name in (*_BY_CATALOGUE, *CLUSTERS)),
        )
    if primary is None:
        return Demands((), (), (), (_nothing_explicit(),))
    told = _why_no_judge(grounds, responsiveness, policy)
    similarities = [] if told else [JUDGE]
    by_catalogue = [name for name in _BY_CATALOGUE if name in grounds.catalogue]
    similarities += by_catalogue
    collateral = [name for name in CLUSTERS if name in grounds.catalogue]
    return Demands(
        tuple(
            (similarity, action)
            for action in grounds.explicit_actions
            for similarity in similarities or [_BY_LOG]
        ),
        tuple(collateral or [_BY_LOG]),
        tuple(by_catalogue[:1]),
        (rule.result(JUDGE, told, "asked where the log bears it", True),)
        if told
        else (),
    )


def _why_no_judge(
    grounds: Grounds,
    responsiveness: reports.Responsiveness,
    policy: settings.GateSettings,
) -> str:
    """Returns why the judge is not asked; empty: it is."""
    if policy.judge == "none":
        return 'not asked: `gate.judge` is "none"'
    if policy.judge == "required":
        return ""
    if not grounds.has_judge:
        return "not asked: `responsiveness.judge_share` is 0"
    made = responsiveness.similarities.get(JUDGE, reports.Similarity())
    if made.log_is_too_thin is not True:
        return ""
    measured = responsiveness.effects.get(JUDGE, {})
    reasons = sorted({effect.reason for effect in measured.values() if effect.reason})
    return "not asked: " + "; ".join(reasons or ["the log is too thin"])


def _nothing_explicit() -> reports.Rule:
    return rule.result(
        "responsiveness",
        "no treatment is an explicit negative action",
        "one that is (or `gate.similarities` set)",
        False,
        "an implicit log shows no promise that could be kept: name in "
        "`gate.similarities` what must respond, as audience_nearest.skip, or set it "
        "to [] on purpose",
    )
