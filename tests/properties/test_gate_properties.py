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
    max_lasting_responsiveness=0.2,
    min_kept=0.3,
)
NAN = math.nan

good, responding = st.floats(0.3, 1.0), st.floats(-1.0, 0.2)
anything = st.floats(-1.0, 1.0)
SIMILARITIES = ("audience_nearest", "category_overlap", "creator")
BLOCKS = (
    ("persistence", "events:5"),
    ("persistence", "gap_ms:86400000"),
    ("replay",),
    ("short_histories",),
)
# Path into the reports, the sign of "better", and figures that are good.
FIGURES = {
    ("evaluation", "metrics", "recall@10", "value"): (+1, good),
    ("evaluation", "metrics", "index_recall@10", "value"): (+1, good),
    (
        "evaluation", "baselines", "popularity", "differences", "recall@10", "value",
    ): (+1, good),
    (
        "evaluation", "baselines", "last_blessed", "differences", "recall@10", "high",
    ): (+1, good),
    (
        "evaluation", "baselines", "last_blessed", "differences",
        "negative_recall@10", "low",
    ): (-1, st.floats(-1.0, 0.0)),
    ("evaluation", "metrics", "delta_ndcg@10", "high"): (+1, st.floats(0.0, 1.0)),
    ("evaluation", "metrics", "ndcg@10", "value"): (+1, good),
    ("responsiveness", "collateral", "content", "low"): (+1, st.floats(-0.4, 1.0)),
    ("responsiveness", "concentration", "creator", "low"): (-1, st.floats(-1.0, 0.05)),
    ("responsiveness", "kept", "dislike", "of_before"): (+1, good),
    ("responsiveness", "specificity", "category_overlap", "low"): (
        +1, st.floats(0.05, 0.9),
    ),
    **{
        ("responsiveness", f"{similarity}.dislike", end): (-1, responding)
        for similarity in SIMILARITIES
        for end in ("net_high", "high")
    },
    **{
        ("responsiveness", *block, "audience_nearest", "net_low"): (
            -1, st.floats(-1.0, 0.0),
        )
        for block in BLOCKS
    },
}  # fmt: skip
# In further situations one similarity is enough, but none may be lost.
TOGETHER = {
    ("responsiveness", *block, similarity, "net_high"): (-1, responding)
    for block in BLOCKS
    for similarity in SIMILARITIES
}
EVERY = {**FIGURES, **TOGETHER}


@st.composite
def reports(draw):
    """Reports whose figures are good but for one, or all anything at all."""
    odd = draw(st.sampled_from(["none", "none", "all", *EVERY]))
    given = {
        "evaluation": builders.evaluation_report(0.9, 0.9, 0.9, (0.3, 0.1)),
        "responsiveness": builders.responsiveness_report(-0.9, -0.9, -0.9),
        "serving_check": builders.serving_check_report(
            draw(st.sampled_from([[], [], [], ["slow"]]))
        ),
    }
    for path, (_, usual) in EVERY.items():
        figures = anything if odd in (path, "all") else usual
        given = changed(given, path, draw(figures))
    return given


def decide(given, policy=POLICY):
    evidence = builders.evidence(**given, baseline_model_id=builders.LAST_BLESSED_ID)
    return rules.decide(evidence, policy)


def at(given, path):
    for key in path:
        given = given[key]
    return given


def changed(given, path, figure):
    """The reports with one figure changed, and the ends of its interval with it.

    They stay reports that can be: a share does not leave [0, 1], a difference of shares
    not [-1, 1], and a value not its interval.
    """
    result = copy.deepcopy(given)
    entry = at(result, path[:-1])
    if isinstance(figure, float) and not math.isnan(figure):
        is_metric = path[1] == "metrics" and not path[2].startswith("delta_")
        is_share = is_metric or path[-1] == "of_before"
        figure = max(figure, 0.0 if is_share else -1.0)
        if is_share or path[0] == "evaluation":
            figure = min(figure, 1.0)
        (value,) = {"value", "responsiveness", "difference", "of_before"} & set(entry)
        ends = ["low", value, "high"]
        if path[-1].startswith("net_"):
            ends = ["net_low", "net_responsiveness", "net_high"]
        if path[-1] == "of_before":
            ends = ["of_before"]
        place = ends.index(path[-1])
        for end in ends[:place]:
            entry[end] = min(entry[end], figure)
        for end in ends[place:]:
            entry[end] = max(entry[end], figure)
    entry[path[-1]] = figure
    return result


@hypothesis.given(reports(), st.sampled_from(list(EVERY)), st.floats(0, 2))
def test_worse_figure_never_helps(given, path, loss):
    better, _ = EVERY[path]
    worse = changed(given, path, at(given, path) - better * loss)

    verdict = decide(worse)

    # Or it would be refused for being impossible, whatever its figures.
    assert not verdict.rules[0].name.endswith("_is_valid")
    assert decide(given).blessed or not verdict.blessed


@hypothesis.given(
    reports(), st.sampled_from(list(EVERY)), st.sampled_from([NAN, None, "gone"])
)
def test_figure_that_is_lost_always_refuses(given, path, lost):
    assert not decide(changed(given, path, lost)).blessed


@hypothesis.given(reports(), st.sampled_from(SIMILARITIES))
def test_whole_answer_that_is_lost_never_helps(given, similarity):
    """As where no slate after the control held anything similar."""
    lost = {**builders.unsupported("nothing similar"), "simulations": 100}

    worse = changed(given, ("responsiveness", f"{similarity}.dislike"), lost)

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
            "max_lasting_responsiveness": POLICY.max_lasting_responsiveness - step,
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
        "responsiveness": builders.responsiveness_report(-0.9, -0.9, -0.9),
        "serving_check": builders.serving_check_report(),
    }
    # Just above what an ndcg of .05 allows, and not what one of 0 does.
    fine["evaluation"]["metrics"]["delta_ndcg@10"] = builders.interval(
        -0.04, low=-0.05, high=-0.03
    )
    better, _ = FIGURES[path]
    verdict = decide(changed(fine, path, -better * 5.0))

    assert decide(fine).blessed
    refused = [rule.name for rule in verdict.rules if not rule.passed]
    # A recall of 0 is no more than chance, too.
    assert len(refused) == (
        2 if path[-2:] == ("recall@10", "value") and path[1] == "metrics" else 1
    ), refused
