"""Power and honesty of the audit and its gate, on rankers whose truth is planted."""

import numpy as np
import pytest

from components.bootstrap import UserBootstrap
from components.promotion_gate import rules
from components.responsiveness import effect
from schema import settings
from tests import builders
from tests.statistical import planted_rankers
from tests.statistical.planted_rankers import PlantedRanker

SEEDS = range(20)
LEAST = 19
"""Of 20 seeds: a rate of 95 %, as the intervals promise."""


def gate_passes(measured):
    """The gate's word on the answer beside the control.

    These rankers follow the last element alone: beside before all of them rise.
    """
    report = builders.responsiveness_report()
    report["category_overlap.dislike"] = measured.model_dump(exclude_unset=True)
    evidence = builders.evidence(responsiveness=report)
    (found,) = [
        rule
        for rule in rules.decide(evidence, settings.GateSettings()).rules
        if rule.name == "category_overlap.dislike beside control (interval high)"
    ]
    return found.passed


def test_planted_unresponsive_model_is_refused():
    """Its slates change after a dislike, but not in what they resemble."""
    measured = [
        planted_rankers.measure(PlantedRanker(0.0, seed, noise=0.5), seed=seed)
        for seed in SEEDS
    ]

    # Not trivial: the figures scatter around 0 instead of being it.
    assert np.std([m.responsiveness for m in measured]) > 0.005
    assert sum(not gate_passes(m) for m in measured) >= LEAST


def test_planted_responsive_model_is_blessed():
    """It lets go of a quarter, about what the paper reports of the feature alone."""
    measured = [
        planted_rankers.measure(PlantedRanker(0.25, seed, noise=0.2), seed=seed)
        for seed in SEEDS
    ]

    assert sum(gate_passes(m) for m in measured) >= LEAST


def test_the_planted_strength_comes_back_in_order():
    """Six strengths; 200 users leave a standard error of about .03."""
    strengths = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)

    found = [
        planted_rankers.measure(PlantedRanker(strength, seed=3)).responsiveness
        for strength in strengths
    ]

    assert found == sorted(found, reverse=True)
    np.testing.assert_allclose(found, -np.array(strengths), atol=0.08)


def test_interval_covers_the_planted_answer():
    """Of 60 audits of 60 users at 95 %: three standard errors are 8 points."""
    covered = 0
    for seed in range(60):
        m = planted_rankers.measure(PlantedRanker(0.4, seed), users=60, seed=seed)
        covered += m.low <= -0.4 <= m.high

    assert covered / 60 >= 0.87, covered


@pytest.mark.parametrize(
    ("by_user", "lowest", "highest"), [(True, 0.90, 0.99), (False, 0.0, 0.80)]
)
def test_several_simulations_of_a_user_are_not_several_users(by_user, lowest, highest):
    """60 users start five times each and differ in how they are answered.

    Intervals that resample simulations would be too narrow, which the second case
    shows; those that resample users hold what they promise. 300 audits at 95 % have a
    standard error of 1.3 points.
    """
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(300):
        own = np.repeat(rng.uniform(0.2, 1.0, size=60), 5)
        control = rng.uniform(0.4, 0.6, size=300)
        treatment = own * control * rng.uniform(0.9, 1.1, size=300)
        user = np.repeat(np.arange(60), 5) if by_user else np.arange(300)
        m = effect.relative_change(
            {"before": control, "control": control, "treatment": treatment},
            UserBootstrap(user, 200, 0.95, 1),
            min_users=2,
        )
        covered += m.low <= -0.4 <= m.high

    assert lowest <= covered / 300 <= highest, covered / 300
