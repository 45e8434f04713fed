"""The waves against an oracle that goes step by step with one user at a time."""

import collections

import numpy as np
import pytest

from pipeline.synthesize import avoidance, behaviour, preferences, simulation
from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import settings as synthesis
from schema import errors

START_MS = 1_704_067_200_000
HOUR_MS = 3_600_000


def make_world(users, **given):
    settings = synthesis.SynthesisSettings(
        **{
            "users": users,
            "events": 10_000,
            "items": 300,
            "creators": 30,
            "clusters": 12,
            "candidates": 4,
            "cluster_aversion_share": 0.5,
            "creator_aversion_share": 0.3,
            "existing_share": 0.1,
            "remembered_dislikes": 3,
            **given,
        }
    )
    catalogue = catalogues.build_catalogue(settings)
    wanted = preferences.build_preferences(settings, catalogue, 0, users)
    return settings, behaviour.World(catalogue, wanted)


def make_exposures(users, steps):
    user = np.repeat(np.arange(users), steps)
    step = np.tile(np.arange(steps), users)
    return behaviour.Exposures(user, step, START_MS + step * 10 * HOUR_MS)


def step_by_step(settings, world, exposures):
    """Chooses one exposure after the other, remembering dislikes in a deque."""
    creator, cluster = world.catalogue.creator, world.catalogue.cluster
    chosen, disliked, redrawn = [], [], 0
    remembered = collections.defaultdict(
        lambda: collections.deque(maxlen=settings.remembered_dislikes)
    )
    for row in range(exposures.user.size):
        one = exposures[np.array([row])]
        memory = remembered[int(exposures.user[row])]
        heeds = world.draw_heeds(one)[0]
        choice = None
        for attempt in range(64):
            drawn = world.candidates(one, attempt)
            ranked = sorted(
                zip(-drawn.score[0], drawn.item[0], strict=True), key=lambda x: x[0]
            )
            for score, item in ranked:
                alike = any(
                    ("creator" in settings.resemblance and creator[item] == c)
                    or ("cluster" in settings.resemblance and cluster[item] == g)
                    for c, g in memory
                )
                if np.isfinite(score) and not (heeds and alike):
                    choice = item
                    break
            if choice is not None:
                break
            redrawn += 1
        dislikes = world.dislikes(one, np.array([choice]))[0]
        if dislikes:
            memory.append((creator[choice], cluster[choice]))
        chosen.append(choice)
        disliked.append(dislikes)
    return np.array(chosen), np.array(disliked), redrawn


@pytest.mark.parametrize(
    "given",
    [
        {"avoidance": 1.0},
        {"avoidance": 0.6},
        {"avoidance": 0.8, "remembered_dislikes": 1},
        {"avoidance": 0.9, "remembered_dislikes": 5, "resemblance": ("cluster",)},
        {"avoidance": 0.9, "resemblance": ("creator",)},
        {"avoidance": 1.0, "pair_share": 0.5, "drift": 1.0},
    ],
)
def test_waves_equal_going_step_by_step(given):
    settings, world = make_world(6, **given)
    exposures = make_exposures(6, 120)
    chosen, disliked = avoidance.resolve(
        world, exposures, avoidance.Memory(settings, world.catalogue, 6)
    )
    expected, expected_dislikes, redrawn = step_by_step(settings, world, exposures)
    assert redrawn > 0
    assert expected_dislikes.sum() > 6 * settings.remembered_dislikes
    np.testing.assert_array_equal(chosen, expected)
    np.testing.assert_array_equal(disliked, expected_dislikes)


def test_the_consequence_matters_in_the_fixture():
    _, world = make_world(6, avoidance=0.9)
    settings, free = make_world(6, avoidance=0.0)
    exposures = make_exposures(6, 120)
    one, _ = avoidance.resolve(
        world, exposures, avoidance.Memory(settings, world.catalogue, 6)
    )
    other, _ = avoidance.resolve(
        free, exposures, avoidance.Memory(settings, free.catalogue, 6)
    )
    # Else the comparison with the oracle would say little.
    assert (one != other).mean() > 0.1


def test_memory_keeps_the_latest_dislikes():
    settings, world = make_world(2, remembered_dislikes=2, resemblance=("cluster",))
    catalogue = world.catalogue
    items = np.array([np.flatnonzero(catalogue.cluster == g)[0] for g in range(4)])
    memory = avoidance.Memory(settings, catalogue, 2)
    user = np.array([0])
    forgot = [memory.remember(user, items[g : g + 1])[0] for g in range(3)]
    assert forgot == [False, False, True]
    assert memory.resembles(np.zeros(4, int), items).tolist() == [
        False,
        True,
        True,
        False,
    ]
    assert not memory.resembles(np.ones(4, int), items).any()


def test_a_user_with_nothing_left_to_see_is_an_input_error():
    settings = synthesis.SynthesisSettings(
        users=3,
        events=3_000,
        items=20,
        clusters=2,
        avoidance=1.0,
        cluster_aversion_share=1.0,
        remembered_dislikes=64,
    )
    with pytest.raises(errors.InputError, match="raise `clusters`"):
        list(simulation.simulate(settings, catalogues.build_catalogue(settings)))
