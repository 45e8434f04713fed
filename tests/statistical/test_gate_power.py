"""The default gate, on rankers that answer a dislike, or only seem to."""

import numpy as np
import pytest

from components.promotion_gate import rules
from schema import settings
from tests import builders
from tests.statistical import planted_answers
from tests.statistical.planted_answers import Ranker

SEEDS = range(20)
LEAST = 19
"""Of 20 seeds: a rate of 95 %, as the intervals promise."""
NEXT = "audience_nearest.dislike beside"
SOUND = {"strength": 0.5}


def refused_by(content):
    """The names of the default gate's rules that refuse a report."""
    evidence = builders.evidence(
        responsiveness=content, grounds=builders.grounds("category_overlap")
    )
    verdict = rules.decide(evidence, settings.GateSettings())
    return {rule.name for rule in verdict.rules if not rule.passed}


def measured(planted):
    return [
        planted_answers.report(Ranker(**planted, seed=seed), seed=seed)
        for seed in SEEDS
    ]


def test_answer_is_blessed():
    found = measured(SOUND)

    assert sum(not refused_by(content) for content in found) >= LEAST
    answers = [c["audience_nearest.dislike"]["responsiveness"] for c in found]
    assert np.mean(answers) == pytest.approx(-0.5, abs=0.05)


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ({"strength": 0.0}, f"{NEXT} before (interval high)"),
        ({"strength": 0.3, "pull": 0.3}, f"{NEXT} before (interval high)"),
        (SOUND | {"whatever": True}, f"{NEXT} control (interval high)"),
        (
            SOUND | {"forgets": True},
            "persistence.events:5 beside before (lowest interval high)",
        ),
        (
            SOUND | {"least_length": 11},
            "short_histories beside before (lowest interval high)",
        ),
        ({"strength": 0.0, "shuffles": True}, "kept.dislike"),
        (
            {"strength": 0.0, "shuffles": True},
            "specificity.category_overlap (interval low)",
        ),
    ],
    ids=["deaf", "pull", "whatever", "forgets", "long_only", "exchanged", "not_aimed"],
)
def test_answer_that_only_seems_one_is_refused(planted, rule):
    found = measured(planted)

    assert sum(rule in refused_by(content) for content in found) >= LEAST
