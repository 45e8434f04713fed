"""What the gate asks of responsiveness and collateral damage."""

import pytest

from schema import settings
from tests import builders
from tests.unit.promotion_gate.gate import (
    NAN,
    POLICY,
    assert_blessed,
    assert_refused,
    decide,
)


@pytest.mark.parametrize("bad", [-0.19, 0.0, 0.3, NAN])
def test_creator_response_too_weak_refuses(bad):
    report = builders.responsiveness_report()
    report["creator.dislike"] = builders.effect(-0.5, high=bad)

    assert_refused(decide(responsiveness=report), "creator.dislike (interval high)")


def test_upper_end_counts_not_the_value():
    report = builders.responsiveness_report()
    report["content.dislike"] = builders.effect(-0.5, high=-0.05)

    assert_refused(decide(responsiveness=report), "content.dislike (interval high)")


def test_catalogue_without_creators_needs_no_creator_response():
    verdict = decide(responsiveness=builders.responsiveness_report(creator=None))

    assert_blessed(verdict)
    assert "creator.dislike (interval high)" not in [r.name for r in verdict.rules]


def test_only_explicit_negative_treatments_must_respond():
    """A like may well raise what is similar; that is what it is for."""
    report = builders.responsiveness_report()
    report["content.like"] = builders.effect(0.4)
    report["content.skip"] = builders.effect(0.0)

    assert_blessed(decide(responsiveness=report))
    del report["explicit_actions"]
    assert not decide(responsiveness=report).blessed


def test_content_clusters_made_from_the_log_are_not_the_catalogues():
    report = builders.responsiveness_report()
    report["content.dislike"] = builders.effect(0.0)
    report["similarities"] = {"content": {"source": "log"}}

    verdict = decide(responsiveness=report)

    assert_blessed(verdict)
    assert "creator.dislike (interval high)" in [r.name for r in verdict.rules]
    assert "content.dislike (interval high)" not in [r.name for r in verdict.rules]


@pytest.mark.parametrize("bad", [-0.41, NAN, None])
def test_collateral_damage_refuses(bad):
    report = builders.responsiveness_report()
    report["collateral"]["content"]["low"] = bad

    assert_refused(decide(responsiveness=report), "collateral.content (interval low)")


def test_where_nothing_else_is_shown_there_is_nothing_to_damage():
    report = builders.responsiveness_report()
    report["collateral"]["content"] = {
        **builders.unsupported("nothing to lose"),
        "control": 0.0,
        "simulations": 100,
    }

    assert_blessed(decide(responsiveness=report))
    report["collateral"]["content"]["simulations"] = 0
    assert_refused(decide(responsiveness=report), "collateral.content (interval low)")


def test_collateral_damage_may_be_waived_by_policy_alone():
    report = builders.responsiveness_report()
    del report["collateral"]

    assert not decide(responsiveness=report).blessed
    policy = POLICY.model_copy(update={"max_collateral_damage": None})
    assert_blessed(decide(policy, responsiveness=report))


@pytest.mark.parametrize(
    ("low", "value", "high", "words"),
    [
        (0.0, 0.0, 0.0, "does not see the action"),
        (0.1, 0.2, 0.3, "exchanged"),
        (-0.2, -0.1, 0.0, "too weak"),
    ],
)
def test_failed_response_points_at_its_cause(low, value, high, words):
    report = builders.responsiveness_report()
    report["content.dislike"].update(low=low, responsiveness=value, high=high)

    (rule,) = [r for r in decide(responsiveness=report).rules if not r.passed]

    assert words in rule.hint


def test_catalogue_without_features_is_judged_by_cooccurrence():
    report = builders.responsiveness_report(content=None, creator=None)

    assert_blessed(decide(responsiveness=report))
    report["cooccurrence.dislike"] = builders.effect(0.1)
    assert_refused(
        decide(responsiveness=report), "cooccurrence.dislike (interval high)"
    )


def test_nothing_measured_refuses_and_says_why():
    report = {
        "model_id": "model-1",
        "examples_uri": builders.EXAMPLES_URI,
        "content.dislike": builders.unsupported("no categories"),
        "cooccurrence.dislike": builders.unsupported("too few users"),
    }

    verdict = decide(responsiveness=report)

    assert_refused(verdict, "responsiveness")
    (rule,) = [r for r in verdict.rules if r.name == "responsiveness"]
    assert rule.observed == "no categories; too few users"


def test_named_similarity_must_be_there():
    policy = POLICY.model_copy(update={"similarities": ("creator.dislike",)})

    verdict = decide(
        policy, responsiveness=builders.responsiveness_report(creator=None)
    )

    assert_refused(verdict, "creator.dislike (interval high)")


def test_only_the_named_similarities_are_judged():
    policy = POLICY.model_copy(update={"similarities": ("creator.dislike",)})

    assert_blessed(
        decide(policy, responsiveness=builders.responsiveness_report(content=0.5))
    )


def test_no_similarity_on_purpose_is_a_policy():
    policy = POLICY.model_copy(update={"similarities": ()})

    assert_blessed(
        decide(policy, responsiveness=builders.responsiveness_report(content=0.5))
    )


def test_simulation_without_an_answer_refuses_where_the_catalogue_supports_one():
    """A model that shows nothing similar to begin with was not shown to respond."""
    report = builders.responsiveness_report()
    report["content.dislike"] = {
        **builders.unsupported("no recommendation resembles item k"),
        "simulations": 100,
    }

    assert_refused(decide(responsiveness=report), "content.dislike (interval high)")


def test_default_gate_refuses_a_model_that_does_not_respond():
    """Arm `none`: responsiveness is 0 exactly, and so are both ends."""
    deaf = {
        **builders.effect(0.0, high=0.0),
        "low": 0.0,
    }
    report = builders.responsiveness_report()
    report["content.dislike"] = report["creator.dislike"] = deaf

    assert not decide(settings.GateSettings(), responsiveness=report).blessed
