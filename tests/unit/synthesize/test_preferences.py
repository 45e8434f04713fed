import numpy as np
import pytest

from pipeline.synthesize import behaviour, preferences
from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import settings as synthesis

START_MS = 1_704_067_200_000
SPAN_MS = 90 * 86_400_000


def make_world(users=2_000, **given):
    settings = synthesis.SynthesisSettings(users=users, **given)
    catalogue = catalogues.build_catalogue(settings)
    wanted = preferences.build_preferences(settings, catalogue, 0, users)
    return behaviour.World(catalogue, wanted)


def test_tastes_turn_by_the_drift_and_keep_their_spread():
    wanted = make_world(drift=0.5).preferences
    start, end = wanted.taste_at(START_MS), wanted.taste_at(START_MS + SPAN_MS)
    # Half of a right angle: the correlation is the cosine of 45 degrees.
    correlation = np.corrcoef(start.ravel(), end.ravel())[0, 1]
    assert correlation == pytest.approx(np.cos(np.pi / 4), abs=0.02)
    assert start.std() == pytest.approx(1.5, rel=0.02)
    assert end.std() == pytest.approx(1.5, rel=0.02)


def test_tastes_stand_still_without_drift():
    wanted = make_world(users=10, drift=0.0).preferences
    end = wanted.taste_at(START_MS + SPAN_MS)
    np.testing.assert_array_equal(end, wanted.taste_start)


def test_affinity_is_taste_plus_the_bonus_of_a_favourite():
    wanted = make_world(users=4, drift=0.3, favourite_bonus=2.0).preferences
    middle = START_MS + SPAN_MS // 2
    favourite = int(wanted.favourites[3, 1])
    other = next(c for c in range(100) if c not in wanted.favourites[3])
    affinity = wanted.affinity(
        np.array([3]),
        np.array([middle]),
        creator=np.array([[favourite, other]]),
        cluster=np.array([[6, 6]]),
    )
    taste = wanted.taste_at(middle)[3, 6]
    np.testing.assert_allclose(affinity, [[taste + 2.0, taste]], rtol=1e-5)


def test_a_pair_is_wanted_as_its_two_categories():
    tastes = make_world(users=3, clusters=4, pair_share=0.5).preferences.taste_start
    assert tastes.shape == (3, 8)
    expected = (tastes[:, 3] + tastes[:, 0]) / np.sqrt(2)
    np.testing.assert_allclose(tastes[:, 7], expected, rtol=1e-5)


def test_aversions_have_their_share_and_moments_all_over_the_span():
    wanted = make_world(cluster_aversion_share=0.2).preferences
    since = wanted.cluster_averse_since_ms
    averse = since != preferences.NEVER_MS
    # 5 sigma of a share of 0.2 among 40,000 is 0.01.
    assert averse.mean() == pytest.approx(0.2, abs=0.01)
    moment = (since[averse] - START_MS) / SPAN_MS
    assert moment.min() >= 0
    assert moment.max() < 1
    assert moment.mean() == pytest.approx(0.5, abs=0.02)


def test_aversions_are_independent_of_tastes():
    wanted = make_world(cluster_aversion_share=0.3).preferences
    averse = wanted.cluster_averse_since_ms != preferences.NEVER_MS
    correlation = np.corrcoef(averse.ravel(), wanted.taste_start.ravel())[0, 1]
    assert abs(correlation) < 5 / np.sqrt(averse.size)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_aversion_shares_of_none_and_all(share):
    wanted = make_world(
        users=50, cluster_aversion_share=share, creator_aversion_share=share
    ).preferences
    by_creator = wanted.creator_averse_since_ms(np.arange(50), np.arange(50))
    assert (wanted.cluster_averse_since_ms != preferences.NEVER_MS).mean() == share
    assert (by_creator != preferences.NEVER_MS).mean() == share


def test_users_do_not_depend_on_the_block_they_are_built_in():
    settings = synthesis.SynthesisSettings(users=30)
    catalogue = catalogues.build_catalogue(settings)
    whole = preferences.build_preferences(settings, catalogue, 0, 30)
    part = preferences.build_preferences(settings, catalogue, 10, 20)
    np.testing.assert_array_equal(part.taste_start, whole.taste_start[10:20])
    np.testing.assert_array_equal(part.favourites, whole.favourites[10:20])
    np.testing.assert_array_equal(
        part.cluster_averse_since_ms, whole.cluster_averse_since_ms[10:20]
    )


def test_choice_follows_the_softmax_of_taste():
    # Two clusters, all items equally popular: the share of cluster 0 among choices
    # is the mean over candidate sets of n0 e^a / (n0 e^a + n1 e^b), n0 binomial.
    world = make_world(
        users=1,
        clusters=2,
        candidates=2,
        drift=0.0,
        favourite_creators=0,
        popularity_exponent=0.0,
        existing_share=1.0,
    )
    steps = np.arange(20_000)
    times = np.full(steps.size, START_MS + SPAN_MS)
    drawn = world.candidates(behaviour.Exposures(np.zeros_like(steps), steps, times))
    chosen = drawn.item[steps, drawn.score.argmax(axis=1)]
    share = (world.catalogue.cluster == 0).mean()
    weight = np.exp(world.preferences.taste_start[0].astype(float))
    alone = weight[0] / weight.sum()
    expected = share**2 + 2 * share * (1 - share) * alone
    assert 0.05 < expected < 0.95
    # 5 sigma of a share among 20,000 draws is at most 0.018.
    observed = (world.catalogue.cluster[chosen] == 0).mean()
    assert observed == pytest.approx(expected, abs=0.018)


def test_reactions_at_neutral_taste_have_the_propensities_of_the_settings():
    world = make_world(users=1, taste_spread=0.0, favourite_creators=0)
    steps = np.arange(40_000)
    exposures = behaviour.Exposures(
        np.zeros_like(steps), steps, np.full(steps.size, START_MS)
    )
    item = np.zeros(steps.size, int)
    reactions = world.reactions(exposures, item, np.zeros(steps.size, bool))
    # Skipped 0.3; liked 0.05 of the rest; 5 sigma is about 0.01.
    assert reactions.skipped.mean() == pytest.approx(0.3, abs=0.012)
    liked = reactions.liked[~reactions.skipped]
    assert liked.mean() == pytest.approx(0.05, abs=0.007)
    assert not reactions.liked[reactions.skipped].any()
    assert reactions.dwell[reactions.skipped].max() <= 0.1
    assert reactions.dwell[~reactions.skipped].min() >= 0.1
    assert reactions.dwell.max() <= 1.0


def test_taste_makes_likes_and_dwell_and_unmakes_skips():
    world = make_world(users=200, drift=0.0)
    cluster = world.catalogue.cluster
    steps = np.arange(200)
    user = np.repeat(np.arange(200), 200)
    exposures = behaviour.Exposures(
        user, np.tile(steps, 200), np.full(user.size, START_MS)
    )
    tastes = world.preferences.taste_start[:, cluster]
    nothing = np.zeros(user.size, bool)
    wanted = world.reactions(exposures, tastes.argmax(axis=1)[user], nothing)
    hated = world.reactions(exposures, tastes.argmin(axis=1)[user], nothing)
    assert wanted.liked.mean() > 3 * hated.liked.mean()
    assert wanted.skipped.mean() < hated.skipped.mean() / 3
    assert wanted.dwell.mean() > hated.dwell.mean() + 0.2


def test_dislikes_need_an_aversion_that_has_begun():
    world = make_world(users=300, cluster_aversion_share=0.5, creator_aversion_share=0)
    since = world.preferences.cluster_averse_since_ms
    user = np.repeat(np.arange(300), 40)
    item = np.tile(np.arange(40), 300)
    time_ms = np.full(user.size, START_MS + SPAN_MS // 2)
    exposures = behaviour.Exposures(user, np.tile(np.arange(40), 300), time_ms)
    disliked = world.dislikes(exposures, item)
    averse = since[user, world.catalogue.cluster[item]] <= time_ms
    assert not disliked[~averse].any()
    # 0.7 of about 3,000; 5 sigma is 0.04.
    assert disliked[averse].mean() == pytest.approx(0.7, abs=0.04)
