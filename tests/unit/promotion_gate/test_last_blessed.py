import pytest

from tests import builders
from tests.unit.promotion_gate.gate import NAN, assert_blessed, assert_refused, decide


def test_first_model_has_nothing_to_fall_behind():
    assert "recall@10_drop_interval_high" not in [r.name for r in decide().rules]


@pytest.mark.parametrize(
    ("interval_high", "is_blessed"),
    [
        # .1 of .2 may be lost: the interval must reach up to -.02.
        (0.01, True),
        (0.0, True),
        (-0.02, True),
        (-0.0201, False),
        (NAN, False),
    ],
)
def test_clear_drop_against_the_last_blessed_model_refuses(interval_high, is_blessed):
    report = builders.evaluation_report(last_blessed=(0.2, interval_high))

    verdict = decide(evaluation=report)

    if is_blessed:
        assert_blessed(verdict)
    else:
        assert_refused(verdict, "recall@10_drop_interval_high")


@pytest.mark.parametrize("broken", [{}, {"metrics": {}}, {"differences": {}}])
def test_baseline_that_says_nothing_refuses(broken):
    report = builders.evaluation_report()
    report["baselines"]["last_blessed"] = broken

    assert_refused(decide(evaluation=report), "recall@10_drop_interval_high")


@pytest.mark.parametrize(
    ("what", "high", "is_blessed"),
    [
        ("improvement", 0.08, True),
        ("tie", 0.0, True),
        ("noise around a small loss", 0.01, True),
        ("regression", -0.05, False),
    ],
)
def test_improvement_tie_and_regression_are_told_apart(what, high, is_blessed):
    report = builders.evaluation_report(last_blessed=(0.2, high))

    verdict = decide(evaluation=report, baseline_model_id=builders.LAST_BLESSED_ID)

    assert verdict.blessed == is_blessed, what
    assert "compared_with_the_last_blessed" in [r.name for r in verdict.rules]


def test_baseline_that_the_evaluation_left_out_refuses():
    """Or a broken baseline would pass for a first-ever model."""
    verdict = decide(baseline_model_id=builders.LAST_BLESSED_ID)

    assert_refused(
        verdict, "compared_with_the_last_blessed", "recall@10_drop_interval_high"
    )


def test_comparison_with_another_model_than_the_last_blessed_refuses():
    report = builders.evaluation_report(last_blessed=(0.1, 0.0))

    verdict = decide(evaluation=report, baseline_model_id="model-7")

    assert_refused(verdict, "compared_with_the_last_blessed")


@pytest.mark.parametrize(("low", "is_blessed"), [(0.0, True), (0.03, False)])
def test_clearly_more_dislikes_than_the_last_blessed_refuses(low, is_blessed):
    report = builders.evaluation_report(last_blessed=(0.1, 0.0))
    report["baselines"]["last_blessed"]["differences"]["negative_recall@10"] = (
        builders.interval(0.05, low=low, high=0.07)
    )

    assert decide(evaluation=report).blessed == is_blessed
