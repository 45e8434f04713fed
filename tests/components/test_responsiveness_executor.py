"""Responsiveness of real exported models: the arms' promises hold as served."""

import shutil

import fake_artifacts
import pytest
import tiny_pipeline
from tfx.types import standard_artifacts

from components import artifacts
from components.responsiveness import config, executor
from schema import errors, settings


@pytest.fixture
def audit(raw_examples, tmp_path):
    """Runs the executor, and returns the report."""

    def run(model, splits=None, feedback=tiny_pipeline.FEEDBACK, **changes):
        output = fake_artifacts.make(
            artifacts.ResponsivenessReport, tmp_path / "responsiveness"
        )
        given = config.SimulationConfig(
            feedback=feedback,
            responsiveness=settings.ResponsivenessSettings(
                **{
                    "simulations": 40,
                    "trajectory_length": 4,
                    "slate_size": 10,
                    "cooccurrence_clusters": 5,
                    "bootstrap_samples": 50,
                    "batch_size": 15,
                    **changes,
                }
            ),
            max_length=tiny_pipeline.MAX_LENGTH,
        )
        executor.Executor().Do(
            {
                "examples": [raw_examples(**(splits or {}))],
                "model": [fake_artifacts.make(standard_artifacts.Model, model)],
            },
            {"responsiveness": [output]},
            {"simulation_config": given.to_json()},
        )
        return fake_artifacts.read_json(output, "responsiveness.json")

    return run


KEYS = ("content.dislike", "creator.dislike", "cooccurrence.dislike")


@pytest.mark.parametrize("arm", ["none", "label"])
def test_arm_that_cannot_see_a_dislike_gives_exactly_zero(audit, exported_model, arm):
    report = audit(exported_model(arm))

    for key in KEYS:
        effect = report[key]
        assert effect["control"] == effect["treatment"] > 0.0
        assert (effect["responsiveness"], effect["low"], effect["high"]) == (0, 0, 0)
        assert effect["simulations"] == 40


def test_arm_that_sees_a_dislike_answers_it(audit, exported_model):
    """Which way is chance with random weights; that it answers at all is not."""
    report = audit(exported_model("feature_and_label"))

    assert any(report[key]["responsiveness"] != 0.0 for key in KEYS)
    for key in KEYS:
        effect = report[key]
        assert effect["responsiveness"] == pytest.approx(
            effect["treatment"] / effect["control"] - 1.0
        )
        assert effect["low"] <= effect["responsiveness"] <= effect["high"]


def test_same_seed_same_report(audit, exported_model):
    first = audit(exported_model())

    assert audit(exported_model()) == first
    assert audit(exported_model(), seed=2) != first


@pytest.mark.parametrize("simulations", [10, 40])
def test_order_of_the_log_files_means_nothing(
    audit, exported_model, tiny_log, simulations
):
    """Fewer simulations than users, and more; some users have two windows."""
    backwards = {"train": tiny_log.train[::-1]}

    first = audit(exported_model(), simulations=simulations)

    assert audit(exported_model(), splits=backwards, simulations=simulations) == first


def test_report_says_what_was_simulated(audit, exported_model, tiny_log):
    report = audit(exported_model())

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


def test_skip_is_measured_beside_the_dislike(audit, exported_model):
    report = audit(exported_model(), treatment_actions=("dislike", "skip"))

    assert report["content.skip"]["responsiveness"] is not None
    assert report["content.dislike"]["control"] == report["content.skip"]["control"]


def test_action_that_the_policy_lacks_has_a_reason_and_no_number(audit, exported_model):
    feedback = settings.FeedbackSettings(
        actions={
            name: action
            for name, action in tiny_pipeline.FEEDBACK.actions.items()
            if name != "dislike"
        }
    )

    report = audit(exported_model(), feedback=feedback)

    for key in KEYS:
        assert report[key]["responsiveness"] is None
        assert report[key]["simulations"] == 0
        assert "'dislike'" in report[key]["reason"]
    assert report["examples"] == []


def test_catalogue_without_creators_has_a_reason_and_the_run_goes_on(
    audit, exported_model, tmp_path
):
    model = shutil.copytree(exported_model(), tmp_path / "model")
    catalog = model / "Format-Serving" / "assets.extra" / "catalog.jsonl"
    lines = catalog.read_text(encoding="utf-8").splitlines()
    catalog.write_text(
        "".join(line.replace('"creator_id": "c', '"x": "c') + "\n" for line in lines)
        .replace('"x": "c0"', '"creator_id": ""')
        .replace('"x": "c1"', '"creator_id": ""')
        .replace('"x": "c2"', '"creator_id": ""'),
        encoding="utf-8",
    )

    report = audit(model)

    assert report["creator.dislike"]["responsiveness"] is None
    assert "same creator" in report["creator.dislike"]["reason"]
    assert report["content.dislike"]["responsiveness"] is not None


def test_empty_train_split_is_an_input_error(audit, exported_model):
    with pytest.raises(errors.InputError, match="train split"):
        audit(exported_model(), splits={"train": []})


def test_trajectory_longer_than_the_catalogue_is_an_input_error(audit, exported_model):
    with pytest.raises(errors.InputError, match="trajectory_length"):
        audit(exported_model(), trajectory_length=200, simulations=2)
