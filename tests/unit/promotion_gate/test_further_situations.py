"""What must last of an answer, and what else may go with it."""

import pytest

from tests import builders
from tests.unit.promotion_gate.gate import (
    NAN,
    POLICY,
    assert_blessed,
    assert_refused,
    decide,
    failed,
    hint,
    names,
)

SIMILARITIES = ("audience_nearest", "category_overlap", "creator")
SITUATIONS = ("persistence.events:5", "replay", "short_histories")


def situation(report, name):
    """The block of a further situation, by its name in the rules."""
    return report["persistence"]["events:5"] if "events" in name else report[name]


@pytest.mark.parametrize("name", SITUATIONS)
def test_answer_that_is_gone_in_a_further_situation_refuses(name):
    report = builders.responsiveness_report()
    situation(report, name).update(
        {similarity: builders.effect(-0.05) for similarity in SIMILARITIES}
    )

    assert_refused(
        decide(responsiveness=report),
        f"{name} beside before (lowest interval high)",
    )


@pytest.mark.parametrize("name", SITUATIONS)
def test_one_similarity_is_enough_in_a_further_situation(name):
    report = builders.responsiveness_report()
    for similarity in SIMILARITIES[:2]:
        situation(report, name)[similarity] = builders.effect(-0.05)

    assert_blessed(decide(responsiveness=report))


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_figure_that_is_missing_in_a_further_situation_refuses(name, similarity):
    report = builders.responsiveness_report()
    del situation(report, name)[similarity]

    verdict = decide(responsiveness=report)

    assert not verdict.blessed
    assert failed(verdict)[0] == f"{name} beside before (lowest interval high)"


@pytest.mark.parametrize("name", SITUATIONS)
def test_judge_that_clearly_sees_more_in_a_further_situation_refuses(name):
    report = builders.responsiveness_report()
    situation(report, name)["audience_nearest"] = builders.effect(0.2)

    verdict = decide(responsiveness=report)

    assert_refused(verdict, f"{name}.audience_nearest beside before (interval low)")


@pytest.mark.parametrize("point", ["events:20", "gap_ms:604800000"])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_answer_that_turns_later_refuses(point, similarity):
    """It had been there after five events, and a day later."""
    report = builders.responsiveness_report()
    report["persistence"][point] = {
        similarity: {**builders.effect(0.3), "net_low": 0.06}
    }
    name = "persistence beside before (highest interval low)"

    verdict = decide(responsiveness=report)

    assert_refused(verdict, name)
    assert f"{point.partition(':')[2]} " in hint(verdict, name)
    assert similarity in hint(verdict, name)
    report["persistence"][point][similarity]["net_low"] = 0.04
    assert_blessed(decide(responsiveness=report))
    policy = POLICY.model_copy(update={"max_later_rise": None})
    report["persistence"][point][similarity]["net_low"] = 0.06
    assert_blessed(decide(policy, responsiveness=report))


def test_lasting_answer_may_be_waived_by_policy_alone():
    report = builders.responsiveness_report()
    del report["persistence"]
    assert not decide(responsiveness=report).blessed

    policy = POLICY.model_copy(update={"lasting_events": None})

    assert_blessed(decide(policy, responsiveness=report))


@pytest.mark.parametrize("bad", [0.39, 0.0, NAN, None])
def test_slate_that_is_exchanged_refuses(bad):
    report = builders.responsiveness_report()
    report["kept"]["dislike"]["of_before"] = bad

    assert_refused(decide(responsiveness=report), "kept.dislike")


# --- collateral damage -------------------------------------------------------------


@pytest.mark.parametrize("bad", [-0.41, NAN, None])
def test_collateral_damage_refuses(bad):
    report = builders.responsiveness_report()
    report["collateral"]["content"]["low"] = bad

    verdict = decide(responsiveness=report)

    assert not verdict.blessed
    assert failed(verdict)[0] == "collateral.content (interval low)"


def test_slate_that_collapses_to_a_favourite_refuses():
    """Of another liked cluster there is more than three times as much."""
    report = builders.responsiveness_report()
    report["collateral"]["content"] = {**builders.effect(3.4), "low": 2.1}
    report["collateral"]["content"]["treatment"] = 0.9

    name = "collateral.content, as a rise (interval low)"
    verdict = decide(responsiveness=report)
    assert_refused(verdict, name)
    assert "favourite" in hint(verdict, name)


@pytest.mark.parametrize("bad", [0.06, 0.9, NAN, None])
def test_slate_that_fills_with_one_favourite_refuses(bad):
    report = builders.responsiveness_report()
    report["concentration"]["creator"].update(low=bad, difference=0.95, high=1.0)

    verdict = decide(responsiveness=report)

    name = "concentration.creator (interval low)"
    assert_refused(verdict, name)
    assert "favourite" in hint(verdict, name)


def test_clusters_of_the_log_are_too_coarse_to_be_asked_for_concentration():
    report = builders.responsiveness_report()
    report["concentration"]["cooccurrence"].update(low=0.4, difference=0.5, high=0.6)

    verdict = decide(responsiveness=report, grounds=builders.grounds())

    assert "collateral.cooccurrence (interval low)" in names(verdict)
    assert not any(name.startswith("concentration.") for name in names(verdict))
    assert_blessed(verdict)


def test_concentration_may_be_waived_by_policy_alone():
    report = builders.responsiveness_report()
    del report["concentration"]

    assert not decide(responsiveness=report).blessed
    policy = POLICY.model_copy(update={"max_concentration_rise": None})
    assert_blessed(decide(policy, responsiveness=report))


@pytest.mark.parametrize("bad", [0.04, -0.3, NAN, None])
def test_answer_that_is_not_aimed_refuses(bad):
    report = builders.responsiveness_report()
    report["specificity"]["category_overlap"]["low"] = bad

    assert_refused(
        decide(responsiveness=report), "specificity.category_overlap (interval low)"
    )


def test_creators_tell_whether_it_is_aimed_where_there_are_no_categories():
    report = builders.responsiveness_report()
    del report["specificity"]["category_overlap"]
    creators = builders.grounds("creator")

    assert_blessed(decide(responsiveness=report, grounds=creators))
    del report["specificity"]["creator"]
    assert_refused(
        decide(responsiveness=report, grounds=creators),
        "specificity.creator (interval low)",
    )


@pytest.mark.parametrize("number", [0, 1, 49])
def test_too_few_simulations_refuse(number):
    report = builders.responsiveness_report()
    report["creator.dislike"]["simulations"] = number

    assert_refused(decide(responsiveness=report), "simulations")


@pytest.mark.parametrize("number", [None, 2, 19])
def test_too_few_users_refuse(number):
    report = builders.responsiveness_report()
    report["distinct_users"] = number

    assert_refused(decide(responsiveness=report), "distinct_users")


def test_where_nothing_else_is_shown_there_is_nothing_to_damage():
    report = builders.responsiveness_report()
    report["collateral"]["content"] = {
        **builders.unsupported("nothing to lose"),
        "control": 0.0,
        "simulations": 100,
    }

    assert_blessed(decide(responsiveness=report))
    report["collateral"]["content"]["simulations"] = 0
    assert_refused(
        decide(responsiveness=report),
        "collateral.content (interval low)",
        "collateral.content, as a rise (interval low)",
        "simulations",
    )


def test_collateral_damage_may_be_waived_by_policy_alone():
    report = builders.responsiveness_report()
    del report["collateral"]

    assert not decide(responsiveness=report).blessed
    waived = {"max_collateral_damage": None, "max_collateral_gain": None}
    policy = POLICY.model_copy(update=waived)
    assert_blessed(decide(policy, responsiveness=report))
