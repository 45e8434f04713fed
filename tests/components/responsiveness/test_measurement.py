"""The arms' promises hold as served, whatever the order and the runner."""

import json

import pytest

from tests.components.responsiveness.effects import KEYS, all_effects


@pytest.mark.parametrize("arm", ["none", "label"])
def test_arm_that_cannot_see_a_dislike_gives_exactly_zero(measure, exported_model, arm):
    report = measure(exported_model(arm))

    for key in KEYS:
        effect = report[key]
        assert effect["control"] == effect["treatment"] > 0.0
        # What having met item k changes is all that there is beside the slate before.
        assert effect["net_responsiveness"] == pytest.approx(
            effect["control"] / effect["before"] - 1.0
        )
        assert (effect["responsiveness"], effect["low"], effect["high"]) == (0, 0, 0)
        assert effect["simulations"] == 40
    further = all_effects(report)
    assert len(further) > 40
    for path, effect in further.items():
        # There the control meets item k once, and the treatment twice.
        is_met_twice = path.startswith("treatments.taken_back")
        if effect["responsiveness"] is not None and not is_met_twice:
            figures = (effect["responsiveness"], effect["low"], effect["high"])
            assert figures == (0, 0, 0), path
    for path in (
        "replay.content",
        "short_histories.content",
        "treatments.in_a_row.content",
        "decay.content.1",
    ):
        assert further[path]["control"] > 0.0, path


def test_arm_that_sees_a_dislike_answers_it(measure, exported_model):
    """Which way is chance with random weights; that it answers at all is not."""
    report = measure(exported_model("feature_and_label"))

    assert any(report[key]["responsiveness"] != 0.0 for key in KEYS)
    for key in KEYS:
        effect = report[key]
        assert effect["responsiveness"] == pytest.approx(
            effect["treatment"] / effect["control"] - 1.0
        )
        assert effect["low"] <= effect["responsiveness"] <= effect["high"]


def test_same_seed_same_report_byte_for_byte(execute, measure, exported_model):
    first = execute(exported_model())

    assert execute(exported_model()) == first
    assert json.loads(first).items() > measure(exported_model()).items()
    assert measure(exported_model(), seed=2) != measure(exported_model())


def test_batches_have_no_influence(measure, exported_model):
    """Random numbers are addressed by simulation, not drawn in the order of work."""
    assert measure(exported_model(), batch_size=7) == measure(exported_model())


def test_beam_gives_the_same_report(execute, measure, exported_model):
    on_beam = json.loads(execute(exported_model(), use_beam=True))

    assert on_beam.pop("examples_uri")
    assert on_beam == measure(exported_model())


@pytest.mark.parametrize("simulations", [10, 40])
def test_order_of_the_log_files_means_nothing(
    measure, exported_model, tiny_log, simulations
):
    """Fewer simulations than users, and more; some users have two windows."""
    backwards = {"train": tiny_log.train[::-1]}

    first = measure(exported_model(), simulations=simulations)

    assert measure(exported_model(), splits=backwards, simulations=simulations) == first


def test_report_says_what_was_simulated(measure, exported_model, tiny_log):
    report = measure(exported_model())

    assert report["simulations"] == 40
    assert report["trajectory_length"] == 4
    assert report["distinct_users"] == len({w.user_id for w in tiny_log.train})
    assert 0 < len(report["examples"]) <= 5
    example = report["examples"][0]
    assert example["action"] == "dislike"
    assert len(example["before"]) == len(example["after"]) == 10
    shown = {item["item_id"] for item in example["before"]}
    met = {item["item_id"] for item in example["history"]}
    assert not shown & {*met, example["item"]["item_id"]}
    assert example["is_beside_before"]
    wanted = {*example["item"]["categories"]}
    for item in (*example["before"], *example["after"]):
        # Identical sets are as alike as can be, by degrees and by content.
        is_same = bool(wanted) and {*item["categories"]} == wanted
        assert (item["likeness"].get("content") == 1.0) == is_same
        degree = item["likeness"].get("category_overlap", 0.0)
        assert (degree == pytest.approx(1.0)) == is_same
        assert 0.0 <= degree <= 1.0


def test_skip_is_measured_beside_the_dislike(measure, exported_model):
    report = measure(exported_model(), treatment_actions=("dislike", "skip"))

    assert report["content.skip"]["responsiveness"] is not None
    assert report["content.dislike"]["control"] == report["content.skip"]["control"]


def test_further_blocks_say_what_they_are_about(measure, exported_model):
    report = measure(exported_model())

    assert report["primary_action"] == "dislike"
    assert report["explicit_actions"] == ["dislike"]
    assert [p["dose"] for p in report["dose_response"]["content"]] == [1, 2]
    assert [p["decay"] for p in report["decay"]["content"]] == [1, 2, 4]
    assert {"in_a_row", "taken_back", "liked_after"} == set(report["treatments"])
    later = {"events:1", "events:3", "gap_ms:86400000"}
    assert set(report["persistence"]) == later
    assert report["persistence"]["events:1"]["content"] == {
        key: value
        for key, value in report["decay"]["content"][1].items()
        if key != "decay"
    }
    assert set(report["kept"]) == {"dislike", *report["treatments"], *later}
    assert report["replay"]["content"]["simulations"] == 40
    assert set(report["collateral"]) == {"content", "creator", "cooccurrence"}
    assert set(report["specificity"]) == {*report["similarities"]}
    # Beside a slate without any dislike, which the probed simulations alone ask for.
    concentration = report["concentration"]
    assert set(concentration) == {"content", "creator", "cooccurrence"}
    assert {part["simulations"] for part in concentration.values()} == {20}
    assert {"activity:low", "item:head"} < set(report["slices"])
    # The first point of the decay is the answer of the probed simulations themselves.
    assert report["decay"]["content"][0]["simulations"] == 20
