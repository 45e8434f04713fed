from tests import builders
from tests.unit.promotion_gate.gate import (
    POLICY,
    assert_blessed,
    assert_refused,
    decide,
)


def test_canary_failures_refuse_and_are_told():
    report = builders.serving_check_report(["too slow", "wrong scores"])

    verdict = decide(serving_check=report)

    assert_refused(verdict, "serving_check_failures")
    (found,) = [r for r in verdict.rules if not r.passed]
    assert found.observed == "too slow; wrong scores"


def test_missing_canary_refuses():
    verdict = decide(serving_check=None)

    assert_refused(
        verdict,
        "serving_check_is_of_this_model",
        "serving_check_is_of_these_files",
        "serving_check_failures",
        "serving_check_requests",
    )
    assert verdict.rules[-2].observed == "no serving check"


def test_canary_may_be_waived_by_policy_alone():
    policy = POLICY.model_copy(update={"require_serving_check": False})

    assert_blessed(decide(policy, serving_check=None))
