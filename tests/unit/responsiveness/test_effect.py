"""The relative change of a similarity, and its interval."""

import numpy as np
import pytest

from components.bootstrap import UserBootstrap
from components.responsiveness import branches, effect, similarity
from components.responsiveness.probes import Probe
from tests import builders, known_recommenders


def shares(control, treatment, before=None):
    """Likeness of each simulation's slates; before: the control's, by default."""
    given = {"before": before or control, "control": control, "treatment": treatment}
    return {name: np.array(share, float) for name, share in given.items()}


def measure(control, treatment, before=None, samples=400, confidence=0.95, seed=1):
    """Each simulation is a user of its own."""
    users = np.arange(len(control))
    return effect.relative_change(
        shares(list(control), treatment, before),
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


def test_net_change_is_beside_the_slate_before():
    """Half of the control's, and twice of what there was before: .15 / .075."""
    result = measure([0.4, 0.2], [0.2, 0.1], before=[0.15, 0.0])

    assert result.before == pytest.approx(0.075)
    assert result.responsiveness == pytest.approx(-0.5)
    assert result.net_responsiveness == pytest.approx(1.0)
    assert result.net_low <= 1.0 <= result.net_high


def test_nothing_similar_before_leaves_the_figure_beside_the_control():
    result = measure([0.4, 0.2], [0.2, 0.1], before=[0.0, 0.0])

    assert result.responsiveness == pytest.approx(-0.5)
    assert result.net_responsiveness is result.net_low is result.net_high is None
    assert result.reason is None
    assert "before item k" in result.net_reason


def test_nothing_similar_in_the_control_leaves_the_net_figure():
    result = measure([0.0, 0.0], [0.1, 0.0], before=[0.2, 0.2])

    assert result.responsiveness is None
    assert result.net_responsiveness == pytest.approx(-0.75)


def test_without_a_signal_the_net_figure_is_that_of_the_control(rng):
    """No signal: control and treatment are one slate, whatever there was before."""
    before, control = rng.random(50), rng.random(50)

    result = measure(control, control, before=before.tolist())

    assert (result.responsiveness, result.low, result.high) == (0.0, 0.0, 0.0)
    assert result.net_responsiveness == pytest.approx(control.sum() / before.sum() - 1)


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
    figures = {name for name in found if name not in ("reason", "simulations")}
    assert "net_responsiveness" in figures
    assert {found[name] for name in figures} == {None}


def test_one_user_many_times_gives_no_interval():
    draws = UserBootstrap(np.array([b"u"] * 3, object), 10, 0.95, 1)
    given = shares([0.4, 0.2, 0.3], [0.1, 0.1, 0.1])

    found = effect.relative_change(given, draws, min_users=2)

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


def test_kept_is_the_share_of_each_slate_that_stays(estimator):
    """Of the control's 4 + 4 items 3 + 3 stay, of those before 1 + 3."""
    before = [["a-1", "a-2", "a-3", "a-4"], ["c-1", "c-2", "c-3", "c-4"]]
    slates = known_recommenders.TWO_USERS.slates
    branches = known_recommenders.branches(
        ["a-0", "b-0"],
        [[i.decode() for i in row] for row in slates["control"]],
        [[i.decode() for i in row] for row in slates["treatment"]],
        before,
    )

    found = estimator.kept(branches)

    assert (found.of_control, found.of_before) == (6 / 8, 4 / 8)
    assert found.simulations == 2


def test_item_alone_in_the_catalogue_has_reasons_and_no_figure(estimator):
    """Nothing else can be shown: the slates are empty."""
    nothing = [["", ""], ["", ""]]
    branches = known_recommenders.branches(["a-0", "b-0"], nothing, nothing)

    found = estimator.effects(branches)["content"]

    assert found.responsiveness is found.net_responsiveness is None
    assert "could fall" in found.reason
    assert "could fall" in found.net_reason
    assert estimator.kept(branches).of_before is None


def test_curve_runs_by_its_number(estimator):
    asked = [Probe("decay", 10), Probe("decay", 2), Probe("dose", 1)]
    answers = dict.fromkeys(asked, known_recommenders.TWO_USERS)

    found = estimator.curve(answers, "decay")

    assert list(found) == ["content"]  # what cannot be compared has no curve
    assert [point.decay for point in found["content"]] == [2, 10]
    assert [point.dose for point in found["content"]] == [None, None]


def test_who_is_not_heard_is_counted_among_those_with_something_to_lose():
    """Of three with a-items before, one keeps them; the fourth had none to lose."""
    slates = {
        "before": builders.id_rows(["a-1", "b-1"], ["a-1", "b-1"], ["a-1", "a-2"],
                                   ["b-1", "b-2"]),
        "control": builders.id_rows(*[["a-1", "a-2"]] * 4),
        "treatment": builders.id_rows(["b-2", "b-1"], ["b-1", "a-3"], ["a-1", "b-1"],
                                      ["b-1", "b-2"]),
    }  # fmt: skip
    by = similarity.ClusterSimilarity(
        "content", "by hand", "catalogue", known_recommenders.CLUSTER, ""
    )
    estimator = effect.EffectEstimator((by,), known_recommenders.policy())

    found = estimator.unheard(
        branches.Branches(
            builders.ids("u1", "u2", "u3", "u4"), builders.ids(*["a-0"] * 4), slates
        )
    )["content"]

    assert found.value == pytest.approx(1 / 3)
    assert found.count == 3
