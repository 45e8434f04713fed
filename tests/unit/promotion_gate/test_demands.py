"""What the gate asks by: the judge, the catalogue, or what the policy names."""

import pytest

from components.promotion_gate import demands
from serving.bundle import catalog
from tests import builders
from tests.unit.promotion_gate.gate import (
    POLICY,
    assert_blessed,
    assert_refused,
    decide,
    failed,
    hint,
    names,
)

# --- what there is to ask by -------------------------------------------------------


@pytest.mark.parametrize("missing", ["category_overlap", "creator"])
def test_what_the_catalogue_does_not_support_is_not_asked(missing):
    kept = [name for name in builders.FULL_CATALOGUE if name != missing]
    report = builders.responsiveness_report()
    report[f"{missing}.dislike"] = builders.unsupported()

    verdict = decide(responsiveness=report, grounds=builders.grounds(*kept))

    assert_blessed(verdict)
    assert not any(name.startswith(missing) for name in names(verdict))


def test_catalogue_without_features_is_asked_by_the_judge_alone():
    report = builders.responsiveness_report(overlap=None, creator=None)

    verdict = decide(responsiveness=report, grounds=builders.grounds())

    assert_blessed(verdict)
    assert "collateral.cooccurrence (interval low)" in names(verdict)
    assert not any("cooccurrence.dislike" in name for name in names(verdict))


def test_with_neither_judge_nor_features_cooccurrence_must_respond():
    report = builders.responsiveness_report(overlap=None, creator=None, nearest=None)
    bare = builders.grounds(has_judge=False)

    assert_blessed(decide(responsiveness=report, grounds=bare))
    report["cooccurrence.dislike"] = builders.effect(0.1)
    assert_refused(
        decide(responsiveness=report, grounds=bare),
        "cooccurrence.dislike beside before (interval high)",
        "cooccurrence.dislike beside control (interval high)",
    )


def thin(**told):
    """A report whose judge was too thin, or is said to be."""
    report = builders.responsiveness_report(nearest=None)
    report["audience_nearest.dislike"]["reason"] = "3 users judge"
    report["similarities"] = {"audience_nearest": told}
    return report


def test_log_too_thin_for_a_judge_is_told():
    verdict = decide(responsiveness=thin(log_is_too_thin=True))

    assert_blessed(verdict)
    (told,) = [rule for rule in verdict.rules if rule.name == "audience_nearest"]
    assert told.observed == "not asked: 3 users judge"


@pytest.mark.parametrize(
    "told", [{}, {"log_is_too_thin": False}, {"log_is_too_thin": None}]
)
def test_judge_that_is_missing_for_another_reason_refuses(told):
    verdict = decide(responsiveness=thin(**told))

    name = "audience_nearest.dislike beside before (interval high)"
    assert hint(verdict, name) == "3 users judge"


def test_judge_may_be_required_whatever_the_log():
    policy = POLICY.model_copy(update={"judge": "required"})

    verdict = decide(policy, responsiveness=thin(log_is_too_thin=True))

    assert not verdict.blessed


def test_judge_may_be_waived_by_policy_alone():
    report = builders.responsiveness_report(nearest=0.3)
    assert not decide(responsiveness=report).blessed

    verdict = decide(POLICY.model_copy(update={"judge": "none"}), responsiveness=report)

    assert_blessed(verdict)
    assert 'not asked: `gate.judge` is "none"' in [r.observed for r in verdict.rules]


def test_policy_without_users_who_judge_is_told():
    report = builders.responsiveness_report(nearest=None)
    without = builders.grounds(*builders.FULL_CATALOGUE, has_judge=False)

    verdict = decide(responsiveness=report, grounds=without)

    assert_blessed(verdict)
    assert any("judge_share" in str(rule.observed) for rule in verdict.rules)


# --- similarities by name ----------------------------------------------------------


def named(*similarities):
    return POLICY.model_copy(update={"similarities": similarities})


def test_named_similarity_must_be_there():
    report = builders.responsiveness_report(creator=None)

    verdict = decide(named("creator.dislike"), responsiveness=report)

    assert not verdict.blessed
    assert failed(verdict)[0] == "creator.dislike beside before (interval high)"


def test_only_the_named_similarities_are_asked():
    report = builders.responsiveness_report(overlap=0.5, nearest=0.5)

    assert_blessed(decide(named("creator.dislike"), responsiveness=report))


def test_implicit_action_may_be_named():
    """It has an effect, and no further situations: those are of explicit actions."""
    implicit = builders.grounds(*builders.FULL_CATALOGUE, explicit_actions=())
    report = builders.responsiveness_report()
    report["audience_nearest.skip"] = builders.effect(-0.5)
    policy = named("audience_nearest.skip")

    assert_blessed(decide(policy, responsiveness=report, grounds=implicit))
    report["audience_nearest.skip"] = builders.effect(0.0)
    assert not decide(policy, responsiveness=report, grounds=implicit).blessed


def test_no_similarity_on_purpose_is_a_policy():
    report = builders.responsiveness_report(0.5, 0.5, 0.5)

    assert_blessed(decide(named(), responsiveness=report))


# --- catalogues -------------------------------------------------------------------


def items(**features):
    """Items by their letter."""
    return {name.encode(): catalog.Item(**found) for name, found in features.items()}


def test_category_in_common_is_less_than_the_same_set():
    found = items(a={"categories": (b"x", b"y")}, b={"categories": (b"x",)})

    assert demands.supported(found) == {"category_overlap"}


def test_same_set_in_another_order():
    found = items(a={"categories": (b"x", b"y")}, b={"categories": (b"y", b"x")})

    assert demands.supported(found) == {"category_overlap", "content"}


def test_creator_of_two_items():
    assert demands.supported(items(a={"creator_id": b"c"}, b={})) == set()
    both = items(a={"creator_id": b"c"}, b={"creator_id": b"c"})
    assert demands.supported(both) == {"creator"}


def test_model_that_lost_its_catalogue_is_asked_by_everything():
    assert demands.supported({}) == {"category_overlap", "content", "creator"}
