"""A worse figure never turns a refusal into a blessing."""

import copy
import math

import hypothesis
import pytest
from hypothesis import strategies as st

from components.promotion_gate import rules
from schema import settings
from tests import builders

# Limits in the middle of the figures below, so that verdicts go both ways.
POLICY = settings.GateSettings(
    min_recall_at_10=0.3,
    min_index_recall=0.3,
    min_lift_over_popularity=0.0,
    max_content_responsiveness=0.2,
    max_creator_responsiveness=0.2,
)
NAN = math.nan

# Path into the reports, and the sign of "better".
FIGURES = {
    ("evaluation", "metrics", "recall@10", "value"): +1,
    ("evaluation", "metrics", "index_recall@10", "value"): +1,
    (
        "evaluation", "baselines", "popularity", "differences", "recall@10", "value",
    ): +1,
    (
        "evaluation", "baselines", "last_blessed", "differences", "recall@10", "high",
    ): +1,
    (
        "evaluation", "baselines", "last_blessed", "differences",
        "negative_recall@10", "low",
    ): -1,
    ("evaluation", "metrics", "delta_ndcg@10", "high"): +1,
    ("evaluation", "metrics", "ndcg@10", "value"): +1,
    ("responsiveness", "collateral", "content", "low"): +1,
    ("responsiveness", "content.dislike", "high"): -1,
    ("responsiveness", "creator.dislike", "high"): -1,
}  # fmt: skip

good = st.floats(0.3, 1.0)
responding = st.floats(-1.0, 0.2)
anything = st.floats(-1.0, 1.0)


@st.composite
def reports(draw):
    """Reports whose figures are good but for one, or all anything at all."""
    odd = draw(st.sampled_from(["none", "none", "all", *"abcdefghi"]))

    def figure(name, usual):
        return draw(anything if odd in (name, "all") else usual)

    evaluation = builders.evaluation_report(
        recall=figure("a", good),
        index_recall=figure("b", good),
        lift=figure("c", good),
        last_blessed=(0.3, figure("d", good)),
    )
    evaluation["metrics"]["delta_ndcg@10"]["high"] = figure("g", good)
    differences = evaluation["baselines"]["last_blessed"]["differences"]
    differences["negative_recall@10"]["low"] = figure("h", st.floats(-1.0, 0.0))
    responsiveness = builders.responsiveness_report()
    responsiveness["collateral"]["content"]["low"] = figure("i", st.floats(-0.4, 1.0))
    for name, key in (("e", "content.dislike"), ("f", "creator.dislike")):
        responsiveness[key] = builders.effect(-0.9, high=figure(name, responding))
    failures = draw(st.sampled_from([[], [], [], ["slow"]]))
    return {
        "evaluation": evaluation,
        "responsiveness": responsiveness,
        "serving_check": builders.serving_check_report(failures),
    }


def decide(given, policy=POLICY):
    evidence = rules.Evidence(
        **given,
        event_anomalies=builders.anomaly_report(),
        catalog_anomalies=builders.anomaly_report(),
        model_id=builders.MODEL_ID,
        examples_uri=builders.EXAMPLES_URI,
        baseline_model_id=builders.LAST_BLESSED_ID,
    )
    return rules.decide(evidence, policy)


def changed(given, path, value):
    result = copy.deepcopy(given)
    entry = result
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value
    return result


@hypothesis.given(reports(), st.sampled_from(list(FIGURES)), st.floats(0, 2))
def test_worse_figure_never_helps(given, path, loss):
    entry = given
    for key in path:
        entry = entry[key]
    worse = changed(given, path, entry - FIGURES[path] * loss)

    assert decide(given).blessed or not decide(worse).blessed


@hypothesis.given(
    reports(), st.sampled_from(list(FIGURES)), st.sampled_from([NAN, None, "gone"])
)
def test_figure_that_is_lost_always_refuses(given, path, lost):
    assert not decide(changed(given, path, lost)).blessed


@hypothesis.given(reports(), st.sampled_from(["content.dislike", "creator.dislike"]))
def test_whole_answer_that_is_lost_never_helps(given, key):
    """As where no slate after the control held anything similar."""
    lost = {**builders.unsupported("nothing similar"), "simulations": 100}

    worse = changed(given, ("responsiveness", key), lost)

    assert decide(given).blessed or not decide(worse).blessed


@hypothesis.given(reports(), st.sampled_from(["evaluation", "responsiveness"]))
def test_report_that_is_lost_always_refuses(given, name):
    assert not decide({**given, name: None}).blessed


@hypothesis.given(reports())
def test_blessed_means_that_every_rule_passed(given):
    verdict = decide(given)

    assert verdict.blessed == all(rule.passed for rule in verdict.rules)


@hypothesis.given(reports(), st.floats(0, 1))
def test_stricter_policy_never_helps(given, step):
    stricter = POLICY.model_copy(
        update={
            "min_recall_at_10": POLICY.min_recall_at_10 + step,
            "max_content_responsiveness": POLICY.max_content_responsiveness - step,
        }
    )
    verdict = decide(given, stricter)

    assert decide(given).blessed or not verdict.blessed


def test_the_reports_above_are_blessed_and_refused():
    """Or the properties would hold for want of cases."""
    verdicts = []

    @hypothesis.settings(database=None)
    @hypothesis.given(reports())
    def collect(given):
        verdicts.append(decide(given).blessed)

    collect()
    assert 0.2 < sum(verdicts) / len(verdicts) < 0.9


@pytest.mark.parametrize("path", FIGURES)
def test_every_figure_decides_on_its_own(path):
    """A good model that is bad in this figure alone is refused for it alone."""
    fine = {
        "evaluation": builders.evaluation_report(
            0.9, 0.9, 0.9, last_blessed=(0.3, 0.1)
        ),
        "responsiveness": builders.responsiveness_report(-0.9, -0.9),
        "serving_check": builders.serving_check_report(),
    }
    verdict = decide(changed(fine, path, -FIGURES[path] * 5.0))

    assert decide(fine).blessed
    assert [rule.passed for rule in verdict.rules].count(False) == 1
