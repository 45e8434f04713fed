import numpy as np
import pytest

from components.responsiveness import effect
from tests.builders import id_rows, ids

CLUSTER = {b"a": 0, b"b": 0, b"c": 1, "ü".encode(): 1}


def test_share_of_the_slate_in_the_cluster_of_item_k():
    slates = id_rows(["a", "b", "c", "x"], ["c", "ü", "a", "b"], ["c", "c", "c", "c"])

    share = effect.similar_share(slates, ids("a", "ü", "a"), CLUSTER)

    assert share.tolist() == [0.5, 0.5, 0.0]


def test_pads_are_not_shown():
    slates = id_rows(["a", "c"], ["a", ""], ["", ""])

    share = effect.similar_share(slates, ids("b", "b", "b"), CLUSTER)

    assert share.tolist() == [0.5, 1.0, 0.0]


def test_items_without_a_cluster_resemble_nothing_not_each_other():
    share = effect.similar_share(id_rows(["x", "y"]), ids("z"), CLUSTER)

    assert share.tolist() == [0.0]


def measure(control, treatment, samples=400, confidence=0.95, seed=1):
    return effect.measure(
        np.array(control, float), np.array(treatment, float), samples, confidence, seed
    )


def test_ratio_of_means_worked_by_hand():
    # (.1 + 0 + .2) / (.4 + .2 + 0) - 1: the user without control similarity is kept.
    result = measure([0.4, 0.2, 0.0], [0.1, 0.0, 0.2])

    assert result.control == pytest.approx(0.2)
    assert result.treatment == pytest.approx(0.1)
    assert result.responsiveness == pytest.approx(-0.5)
    assert result.simulations == 3
    assert result.low <= -0.5 <= result.high
    assert "reason" not in result.to_dict()


def test_no_change_is_exactly_zero_with_no_width(rng):
    control = rng.random(50)

    result = measure(control, control)

    assert (result.responsiveness, result.low, result.high) == (0.0, 0.0, 0.0)


def test_pairs_that_all_halve_leave_no_doubt(rng):
    """Both branches of a user are drawn together."""
    control = rng.random(50) + 0.1

    result = measure(control, control / 2)

    assert result.low == pytest.approx(-0.5)
    assert result.high == pytest.approx(-0.5)


def test_nothing_similar_in_the_control_is_no_answer_and_not_zero():
    result = measure([0.0, 0.0], [0.0, 0.5])

    assert result.responsiveness is result.low is result.high is None
    assert result.simulations == 2
    assert "nothing that could fall" in result.to_dict()["reason"]


def test_interval_is_repeatable_and_grows_with_confidence(rng):
    control, treatment = rng.random(60), rng.random(60)

    assert measure(control, treatment) == measure(control, treatment)
    assert measure(control, treatment) != measure(control, treatment, seed=2)
    narrow = measure(control, treatment, confidence=0.5)
    wide = measure(control, treatment, confidence=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_interval_covers_the_true_effect_as_often_as_it_says(rng):
    """Users keep 70 % of a similarity of their own, each with noise; 80 users.

    95 % over 300 simulated audits has a standard error of 1.3 points, and a percentile
    interval of 80 users lies a point or two below its level.
    """
    covered = 0
    for _ in range(300):
        base = rng.gamma(2.0, 0.1, size=80)
        control = base * rng.uniform(0.5, 1.5, size=80)
        treatment = 0.7 * base * rng.uniform(0.5, 1.5, size=80)
        result = measure(control, treatment, samples=200)
        covered += result.low <= -0.3 <= result.high

    assert 0.90 <= covered / 300 <= 0.98, covered / 300


def test_no_answer_says_why():
    content = effect.no_answer("no creators").to_dict()

    assert content["reason"] == "no creators"
    assert content["simulations"] == 0
    assert {content[name] for name in ("control", "treatment", "low", "high")} == {None}
