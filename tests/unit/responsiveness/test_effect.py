"""The relative change of a similarity, and its interval."""

import numpy as np
import pytest

from components.bootstrap import UserBootstrap
from components.responsiveness import effect, similarity
from components.responsiveness.probes import Probe
from tests import known_recommenders


def measure(control, treatment, samples=400, confidence=0.95, seed=1):
    """Each simulation is a user of its own."""
    users = np.arange(len(control))
    return effect.relative_change(
        np.array(control, float),
        np.array(treatment, float),
        UserBootstrap(users, samples, confidence, seed),
        min_users=1,
    )


def test_ratio_of_means_worked_by_hand():
    # (.1 + 0 + .2) / (.4 + .2 + 0) - 1: the user without control similarity is kept.
    result = measure([0.4, 0.2, 0.0], [0.1, 0.0, 0.2])

    assert result.control == pytest.approx(0.2)
    assert result.treatment == pytest.approx(0.1)
    assert result.responsiveness == pytest.approx(-0.5)
    assert result.simulations == 3
    assert result.low <= -0.5 <= result.high
    assert result.reason is None


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
    assert "nothing that could fall" in result.reason


def test_interval_is_repeatable_and_grows_with_confidence(rng):
    control, treatment = rng.random(60), rng.random(60)

    assert measure(control, treatment) == measure(control, treatment)
    assert measure(control, treatment) != measure(control, treatment, seed=2)
    narrow = measure(control, treatment, confidence=0.5)
    wide = measure(control, treatment, confidence=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_interval_covers_the_true_effect_as_often_as_it_says(rng):
    """Users keep 70 % of a similarity of their own, each with noise; 80 users.

    95 % over 300 measurements has a standard error of 1.3 points, and a percentile
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
    found = effect.no_answer("no creators").model_dump()

    assert found["reason"] == "no creators"
    assert found["simulations"] == 0
    assert {found[name] for name in ("control", "treatment", "low", "high")} == {None}


def test_one_user_many_times_gives_no_interval():
    draws = UserBootstrap(np.array([b"u"] * 3, object), 10, 0.95, 1)
    shares = np.array([0.4, 0.2, 0.3]), np.array([0.1, 0.1, 0.1])

    found = effect.relative_change(*shares, draws, min_users=2)

    assert found.responsiveness is None
    assert found.simulations == 3
    assert "1 users are too few" in found.reason


# --- by each similarity ------------------------------------------------------------

NO_CREATORS = similarity.ClusterSimilarity(
    "creator", "by hand", "catalogue", {}, "no creators"
)


@pytest.fixture
def estimator():
    return known_recommenders.estimator(known_recommenders.CONTENT, NO_CREATORS)


def test_effects_by_similarity(estimator):
    """Alike: 2 + 1 of 8 in the control, 1 + 0 of 8 after the treatment: -2/3."""
    found = estimator.effects(known_recommenders.TWO_USERS)

    assert found["content"].control == pytest.approx(3 / 8)
    assert found["content"].responsiveness == pytest.approx(-2 / 3)
    assert found["creator"].responsiveness is None
    assert found["creator"].reason == "no creators"


def test_effect_of_some_simulations(estimator):
    """The first user alone is one too few for an interval."""
    some = known_recommenders.TWO_USERS.rows(np.array([True, False]))

    found = estimator.supported_effects(some)

    assert list(found) == ["content"]
    assert found["content"].simulations == 1
    assert "1 users are too few" in found["content"].reason


def test_no_simulations_are_no_figure(estimator):
    found = estimator.effects(None)["content"]

    assert found.responsiveness is None
    assert found.reason == "no simulation is of this kind"


def test_curve_runs_by_its_number(estimator):
    asked = [Probe("decay", 10), Probe("decay", 2), Probe("dose", 1)]
    answers = dict.fromkeys(asked, known_recommenders.TWO_USERS)

    found = estimator.curve(answers, "decay")

    assert list(found) == ["content"]  # what cannot be compared has no curve
    assert [point.decay for point in found["content"]] == [2, 10]
    assert [point.dose for point in found["content"]] == [None, None]
