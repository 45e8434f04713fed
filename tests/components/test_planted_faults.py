"""Faults planted into a real model are refused, and the message points at the cause."""

import os
import shutil

import numpy as np
import pytest

from schema import errors
from serving.bundle import integrity, manifest
from tests.components import planted_towers, planted_world
from tests.components.planted_towers import Towers, embeddings


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return planted_world.World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def sound(world):
    """The folder of the model without a fault."""
    return world.build(Towers())


def served_from(world, sound, towers):
    """The sound model's folder, whose servable part was built from other towers."""
    other = world.build(towers)
    folder = shutil.copytree(sound, f"{other}_mixed")
    mixed = os.path.join(folder, "Format-Serving")
    shutil.rmtree(mixed)
    shutil.copytree(os.path.join(other, "Format-Serving"), mixed)
    integrity.write_manifest(
        mixed, manifest.read(os.path.join(sound, "Format-Serving"))
    )
    return folder


def failures(verdict):
    assert not verdict.blessed
    return {rule.name: f"{rule.observed} | {rule.hint}" for rule in verdict.rules
            if not rule.passed}  # fmt: skip


def test_the_sound_model_is_blessed(world, sound):
    """Or everything below would be refused for want of a good world."""
    verdict = world.verdict(sound)

    assert [rule.name for rule in verdict.rules if not rule.passed] == []
    assert verdict.blessed


def test_item_ids_shuffled_in_the_index(world, sound):
    shuffled = np.random.default_rng(3).permutation(planted_towers.IDS).tolist()

    found = failures(world.verdict(served_from(world, sound, Towers(item_id=shuffled))))

    assert "its ids are shuffled" in found["index_recall@10"]
    assert "not built from this model" in found["serving_check_failures"]


def test_stale_index(world, sound):
    """The servable part is of an older training, the manifest of the new one."""
    older = Towers(candidate=embeddings(seed=9), of_history=embeddings())

    found = failures(world.verdict(served_from(world, sound, older)))

    assert "it is stale" in found["index_recall@10"]
    assert "not built from this model" in found["serving_check_failures"]


def test_towers_of_two_runs(world):
    """Each tower is sound; their spaces are not the same."""
    swapped = Towers(candidate=embeddings(seed=9), of_history=embeddings())

    found = failures(world.verdict(world.build(swapped)))

    assert "towers of two different runs" in found["recall@10"]


def test_dislike_flag_ignored_at_serving(world):
    found = failures(world.verdict(world.build(Towers(dislike=1.0))))

    for key in ("audience_nearest.dislike", "category_overlap.dislike"):
        observed, hint = found[f"{key} beside control (interval high)"].split(" | ")
        assert float(observed) == 0.0
        assert "does not see the action" in hint


def test_popularity_only_model(world):
    """It answers everybody with what is popular, whatever they did."""
    counts = [world.item_count.get(item, 0) for item in planted_towers.IDS]
    popular = embeddings()
    # Popularity ties break by id in the baseline, and by row in top_k: the same here.
    popular[:, 0] = np.array(counts, np.float32)
    query = np.eye(popular.shape[1], dtype=np.float32)[0] * 1e4

    found = failures(
        world.verdict(world.build(Towers(candidate=popular, fixed_query=query)))
    )

    assert "exactly what popularity finds" in found["recall@10_over_popularity"]
    assert (
        "does not see the action"
        in (found["category_overlap.dislike beside before (interval high)"])
    )


def test_nan_among_the_candidates_builds_no_index(world):
    broken = embeddings()
    broken[17] = np.nan

    with pytest.raises(errors.InputError, match=r"not\s+finite.*i017"):
        world.build(Towers(candidate=broken))


def test_nan_in_the_query_tower(world):
    broken = embeddings()
    broken[:] = np.nan

    found = failures(
        world.verdict(world.build(Towers(embeddings(), of_history=broken)))
    )

    assert "NaN" in found["category_overlap.dislike beside before (interval high)"]
    assert "hold fewer items" in found["serving_check_failures"]


def test_positives_and_negatives_exchanged(world):
    found = failures(world.verdict(world.build(Towers(sign=-1.0))))

    assert (
        "positives and negatives are exchanged"
        in (found["delta_ndcg@10 (interval high)"])
    )
    assert "category_overlap.dislike beside before (interval high)" in found


def test_vocabulary_off_by_one(world):
    found = failures(world.verdict(world.build(Towers(shift=1))))

    assert "off by one" in found["recall@10"]
    assert "already in the history" in found["serving_check_failures"]


# --- answers that look like one from one side --------------------------------------


def test_answer_by_identical_category_sets_alone(world):
    """The disliked item pulls, and its set is gone: its audience gets more of it."""
    found = failures(world.verdict(world.build(Towers(dislike=1.0, sets_alone=True))))

    hint = found["audience_nearest.dislike beside before (interval high)"]
    assert "identical category set" in hint
    assert not any(name.startswith("creator.dislike") for name in found)


def test_answer_for_one_event_only(world):
    found = failures(world.verdict(world.build(Towers(heeds_last_alone=True))))

    assert set(found) == {"persistence.events:5 beside before (lowest interval high)"}
    assert "forgotten" in found.popitem()[1]


def test_answer_of_long_histories_only(world):
    """Those of the simulation have eleven elements, as the attack has it."""
    found = failures(world.verdict(world.build(Towers(heeds_from_length=11))))

    short = "short_histories beside before (lowest interval high)"
    assert set(found) == {short, "unheard.category_overlap"}
    assert "a new user is not" in found[short]
    assert "short_histories: " in found["unheard.category_overlap"]


def test_category_punished_whatever_the_user_does(world):
    """It wins beside the slate before: what it shows of k falls after a view, too."""
    found = failures(world.verdict(world.build(Towers(resents_views=True))))

    for similarity in ("audience_nearest", "category_overlap", "creator"):
        hint = found[f"{similarity}.dislike beside control (interval high)"]
        assert "whatever the user does" in hint
        assert f"{similarity}.dislike beside before (interval high)" not in found


def test_dislike_that_is_only_hidden(world):
    """It wins beside the control, towards which a view pulls."""
    found = failures(world.verdict(world.build(Towers(dislike=0.0))))

    hint = found["category_overlap.dislike beside before (interval high)"]
    assert "as if it had not been met" in hint


def test_report_of_another_model(world, sound):
    """A good report, but about the model that was trained before."""
    import dataclasses

    evidence = world.evidence(sound)
    later = dataclasses.replace(evidence, model_id="trained-later")

    verdict = planted_world.rules.decide(later, planted_world.POLICY)

    found = failures(verdict)
    assert set(found) == {
        "evaluation_is_of_this_model",
        "responsiveness_is_of_this_model",
        "serving_check_is_of_this_model",
    }
    assert "stale" in found["evaluation_is_of_this_model"]
