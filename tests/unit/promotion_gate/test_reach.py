"""Whom an answer reaches: a mean of all hides who has none."""

import pytest

from tests import builders
from tests.unit.promotion_gate.gate import (
    POLICY,
    assert_blessed,
    assert_refused,
    decide,
    hint,
)

UNHEARD = "unheard.category_overlap"
SLICES = "slices.category_overlap beside control (highest interval low)"


def changed(**parts):
    return {**builders.responsiveness_report(), **parts}


@pytest.mark.parametrize(("share", "is_blessed"), [(0.33, True), (0.34, False)])
@pytest.mark.parametrize("situation", ["next_slate", "replay", "short_histories"])
def test_too_many_who_are_not_heard_refuse(situation, share, is_blessed):
    report = builders.responsiveness_report()
    report["unheard"][situation]["category_overlap"] = builders.interval(share)

    verdict = decide(responsiveness=report)

    assert verdict.blessed == is_blessed
    if not is_blessed:
        assert_refused(verdict, UNHEARD)
        assert hint(verdict, UNHEARD).startswith(f"{situation}: some users")


@pytest.mark.parametrize("situation", ["next_slate", "replay", "short_histories"])
@pytest.mark.parametrize("lost", [{}, {"category_overlap": builders.interval(None)}])
def test_who_is_not_heard_must_be_known(situation, lost):
    report = builders.responsiveness_report()
    report["unheard"][situation] = lost

    assert_refused(decide(responsiveness=report), UNHEARD)


def with_slice(name, simulations=50, **figures):
    report = builders.responsiveness_report()
    effect = {**builders.effect(-0.5, simulations=simulations), **figures}
    report["slices"][name] = {"category_overlap": effect}
    return report


DEAF = {"low": 0.0, "responsiveness": 0.0, "high": 0.0}


def test_a_slice_without_an_answer_refuses_and_is_named():
    verdict = decide(responsiveness=with_slice("cluster:War", **DEAF))

    assert_refused(verdict, SLICES)
    assert hint(verdict, SLICES).startswith("cluster:War: ")


def test_what_chance_may_say_of_a_slice_refuses_nobody():
    unclear = {"low": -0.03, "responsiveness": 0.4, "high": 0.9}
    assert_blessed(decide(responsiveness=with_slice("cluster:War", **unclear)))
    few = with_slice("cluster:War", simulations=19, **DEAF)
    assert_blessed(decide(responsiveness=few))


@pytest.mark.parametrize("kind", ["activity:low", "item:tail"])
def test_slices_that_leave_somebody_out_refuse(kind):
    report = builders.responsiveness_report()
    del report["slices"][kind]

    verdict = decide(responsiveness=report)

    assert_refused(verdict, SLICES)
    assert "hold 50 of 100 simulations" in hint(verdict, SLICES)


def test_reach_may_be_waived_by_policy_alone():
    report = changed(unheard={}, slices={})
    assert_refused(decide(responsiveness=report), UNHEARD, SLICES)
    waived = {"max_unheard": None, "max_slice_responsiveness": None}
    assert_blessed(decide(POLICY.model_copy(update=waived), responsiveness=report))
