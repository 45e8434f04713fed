"""Where there is nothing to measure, there is a reason and no number."""

import dataclasses

import pytest

from schema import errors, settings
from tests.components import tiny_pipeline
from tests.components.responsiveness.effects import KEYS


def test_action_that_the_policy_lacks_has_a_reason_and_no_number(
    measure, exported_model
):
    feedback = settings.FeedbackSettings(
        actions={
            name: action
            for name, action in tiny_pipeline.FEEDBACK.actions.items()
            if name != "dislike"
        }
    )

    report = measure(exported_model(), feedback=feedback)

    for key in KEYS:
        assert report[key]["responsiveness"] is None
        assert report[key]["simulations"] == 0
        assert "'dislike'" in report[key]["reason"]
    assert report["examples"] == []


def test_catalogue_without_creators_has_a_reason(measure, model_without):
    report = measure(model_without(creator_id=""))

    assert report["creator.dislike"]["responsiveness"] is None
    assert "same creator" in report["creator.dislike"]["reason"]
    assert report["content.dislike"]["responsiveness"] is not None


def test_catalogue_with_neither_is_judged_by_cooccurrence(measure, model_without):
    report = measure(model_without(creator_id="", categories=[]))

    content, together = report["content.dislike"], report["cooccurrence.dislike"]
    assert content == together
    assert content["responsiveness"] is not None
    assert report["similarities"]["content"]["source"] == "log"
    assert "no categories" in report["similarities"]["content"]["method"]
    assert report["similarities"]["cooccurrence"]["source"] == "log"


def test_too_few_users_for_an_interval_are_no_figure(measure, exported_model, tiny_log):
    report = measure(exported_model(), splits={"train": tiny_log.train[:19]})

    for key in KEYS:
        assert report[key]["responsiveness"] is None
        assert "min_users" in report[key]["reason"]
    assert "19 users for 40 simulations" in report["warnings"][0]


def test_fewer_users_than_simulations_are_told(measure, exported_model, tiny_log):
    report = measure(exported_model(), simulations=100)

    assert report["distinct_users"] == len({w.user_id for w in tiny_log.train}) == 40
    assert "40 users for 100 simulations" in report["warnings"][0]


def test_model_without_the_signature_is_an_input_error(execute, exported_towers):
    """The Trainer's towers answer with embeddings, not with items."""
    with pytest.raises(errors.InputError, match=r"serving_default.*IndexBuilder"):
        execute(exported_towers())


def test_log_of_five_users_has_reasons(measure, exported_model, tiny_log, judges):
    chosen = sorted({window.user_id for window in tiny_log.train})[:5]
    few = [window for window in tiny_log.train if window.user_id in chosen]

    report = measure(
        exported_model(), splits={"train": few, "judge": judges[:1]}, simulations=20
    )

    for name in ("content", "creator", "category_overlap", "audience"):
        effect = report[f"{name}.dislike"]
        assert effect["responsiveness"] is effect["net_responsiveness"] is None
        assert effect["reason"]


def test_catalogue_without_any_feature_is_judged_by_its_audience(
    measure, model_without, judges
):
    report = measure(
        model_without(creator_id="", categories=[]), splits={"judge": judges}
    )

    overlap = report["category_overlap.dislike"]
    assert overlap["net_responsiveness"] is None
    assert "no two items of the catalogue have a category" in overlap["reason"]
    assert report["audience.dislike"]["net_responsiveness"] is not None


def test_history_of_dislikes_alone_is_simulated(measure, exported_model, tiny_log):
    hated = [
        dataclasses.replace(window, action=[b"dislike"] * len(window.action))
        for window in tiny_log.train
    ]

    report = measure(exported_model(), splits={"train": hated})

    assert report["content.dislike"]["net_responsiveness"] is not None
    assert report["collateral"]["content"]["responsiveness"] is None
    assert "other liked clusters" in report["collateral"]["content"]["reason"]


def test_persistence_beyond_the_catalogue_has_a_reason(measure, exported_model):
    report = measure(exported_model(), persistence_events=(1, 500))

    assert report["persistence"]["events:1"]["content"]["control"] is not None
    beyond = report["persistence"]["events:500"]["content"]
    assert beyond["responsiveness"] is beyond["net_responsiveness"] is None
    assert "too few candidates" in beyond["reason"]
    assert "events:500" not in report["kept"]


def test_empty_train_split_is_an_input_error(measure, exported_model):
    with pytest.raises(errors.InputError, match="train split"):
        measure(exported_model(), splits={"train": []})


def test_trajectory_longer_than_the_catalogue_is_an_input_error(
    measure, exported_model
):
    with pytest.raises(errors.InputError, match="trajectory_length"):
        measure(exported_model(), trajectory_length=200, simulations=2)
