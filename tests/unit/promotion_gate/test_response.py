"""What the gate asks of the next slate after a dislike."""

import pytest

from schema import settings
from tests import builders
from tests.unit.promotion_gate.gate import (
    NAN,
    assert_blessed,
    assert_refused,
    decide,
    failed,
    hint,
)

SIMILARITIES = ("audience_nearest", "category_overlap", "creator")


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("bad", [-0.09, 0.0, 0.3, NAN, None])
def test_answer_too_weak_beside_before_refuses(similarity, bad):
    """The value is good: the upper end of the interval counts."""
    report = builders.responsiveness_report()
    report[f"{similarity}.dislike"]["net_high"] = bad

    assert_refused(
        decide(responsiveness=report),
        f"{similarity}.dislike beside before (interval high)",
    )


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("bad", [-0.09, 0.0, 0.3, NAN, None])
def test_answer_too_weak_beside_the_control_refuses(similarity, bad):
    report = builders.responsiveness_report()
    report[f"{similarity}.dislike"]["high"] = bad

    assert_refused(
        decide(responsiveness=report),
        f"{similarity}.dislike beside control (interval high)",
    )


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_similarity_that_the_report_lacks_refuses(similarity):
    """What is asked follows from catalogue and policy, not from what was written."""
    report = builders.responsiveness_report()
    del report[f"{similarity}.dislike"]
    report["similarities"] = {}

    assert_refused(
        decide(responsiveness=report),
        f"{similarity}.dislike beside before (interval high)",
        f"{similarity}.dislike beside control (interval high)",
        "simulations",
    )


def test_report_cannot_say_which_actions_are_explicit():
    report = builders.responsiveness_report(nearest=0.0)
    report["explicit_actions"] = []

    assert not decide(responsiveness=report).blessed


def test_only_explicit_negative_treatments_must_respond():
    """A like may well raise what is similar; that is what it is for."""
    report = builders.responsiveness_report()
    report["category_overlap.like"] = builders.effect(0.4)
    report["category_overlap.skip"] = builders.effect(0.0)

    assert_blessed(decide(responsiveness=report))


def test_each_explicit_action_must_respond():
    both = builders.grounds(
        *builders.FULL_CATALOGUE, explicit_actions=("dislike", "hate")
    )
    report = builders.responsiveness_report()
    for similarity in SIMILARITIES:
        report[f"{similarity}.hate"] = builders.effect(-0.5)
    assert_blessed(decide(responsiveness=report, grounds=both))

    del report["creator.hate"]

    assert_refused(
        decide(responsiveness=report, grounds=both),
        "creator.hate beside before (interval high)",
        "creator.hate beside control (interval high)",
        "simulations",
    )


def test_log_without_an_explicit_negative_action_is_refused_and_told():
    implicit = builders.grounds(*builders.FULL_CATALOGUE, explicit_actions=())

    verdict = decide(grounds=implicit)

    assert_refused(verdict, "responsiveness")
    assert "gate.similarities" in hint(verdict, "responsiveness")


_BARELY_LOWER = {
    **{"low": -0.2, "responsiveness": -0.1, "high": 0.0},
    **{"net_low": -0.2, "net_responsiveness": 0.0, "net_high": 0.1},
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"low": 0.0, "responsiveness": 0.0, "high": 0.0}, "does not see the action"),
        ({"low": 0.1, "responsiveness": 0.2, "high": 0.3}, "exchanged"),
        ({**_BARELY_LOWER, "net_low": -0.4}, "too weak"),
        # Three of ten places changed, and likeness fell by no more than a tenth.
        ({**_BARELY_LOWER, "net_low": -0.1}, "falls on other items"),
        ({}, "moves towards"),
    ],
)
def test_weak_answer_points_at_its_cause(changed, words):
    report = builders.responsiveness_report(overlap=None)
    report["audience_nearest.dislike"] = builders.effect(-0.5, net=0.2)
    report["audience_nearest.dislike"].update(changed)

    verdict = decide(responsiveness=report, grounds=builders.grounds("creator"))

    name = "audience_nearest.dislike beside before (interval high)"
    assert words in hint(verdict, name)


@pytest.mark.parametrize(
    ("kept", "words"), [(1.0, "is hidden"), (0.99, "falls on other items")]
)
def test_dislike_is_hidden_where_the_slate_is_that_of_before(kept, words):
    """As alike as before is not the same: something else may have left."""
    report = builders.responsiveness_report()
    report["kept"]["dislike"]["of_before"] = kept
    unchanged = {"net_low": 0.0, "net_responsiveness": 0.0, "net_high": 0.0}
    for name in ("content", "category_overlap"):
        report[f"{name}.dislike"].update(_BARELY_LOWER, **unchanged)

    verdict = decide(responsiveness=report)

    name = "category_overlap.dislike beside before (interval high)"
    assert words in hint(verdict, name)


@pytest.mark.parametrize("nearest", [-0.05, 0.3])
@pytest.mark.parametrize("beside", ["before", "control"])
def test_answer_of_identical_sets_alone_is_named(nearest, beside):
    """Also where the rest rises: nothing was exchanged, for the sets do fall."""
    report = builders.responsiveness_report(nearest=nearest)

    verdict = decide(responsiveness=report)

    name = f"audience_nearest.dislike beside {beside} (interval high)"
    assert "identical category set" in hint(verdict, name)


def test_answer_to_anything_is_named():
    """What falls after a dislike falls after a view as well."""
    report = builders.responsiveness_report()
    report["category_overlap.dislike"] = builders.effect(0.0, net=-0.6)

    verdict = decide(responsiveness=report)

    (name,) = failed(verdict)
    assert name == "category_overlap.dislike beside control (interval high)"
    assert "whatever the user does" in hint(verdict, name)


def test_answer_to_anything_that_leaves_nothing_is_named():
    report = builders.responsiveness_report()
    report["category_overlap.dislike"].update(
        control=0.0, responsiveness=None, low=None, high=None, reason="nothing"
    )

    verdict = decide(responsiveness=report)

    (name,) = failed(verdict)
    assert name == "category_overlap.dislike beside control (interval high)"
    assert "whatever the user does" in hint(verdict, name)


def test_default_gate_refuses_a_model_that_does_not_respond():
    """Arm `none`: beside the control it is 0 exactly, and so are both ends."""
    deaf = {**builders.effect(0.0, high=0.0), "low": 0.0}
    report = builders.responsiveness_report()
    for similarity in SIMILARITIES:
        report[f"{similarity}.dislike"] = deaf

    assert not decide(settings.GateSettings(), responsiveness=report).blessed
