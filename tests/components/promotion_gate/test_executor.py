import json

import pytest

from serving.bundle import integrity
from tests import builders
from tests.components import fake_artifacts
from tests.components.promotion_gate.gate_run import run, write_reports


def test_good_model_is_blessed(inputs, outputs):
    write_reports(inputs)

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_blessed(blessing)
    assert promotion["blessed"] is True
    assert promotion["model_id"] == builders.MODEL_ID
    assert promotion["policy"]["max_content_responsiveness"] == -0.1
    assert promotion["grounds"]["explicit_actions"] == ["dislike"]
    assert promotion["grounds"]["has_judge"] is True
    assert {tuple(sorted(rule)) for rule in promotion["rules"]} == {
        ("name", "observed", "passed", "required")
    }
    assert all(rule["passed"] for rule in promotion["rules"])


def test_blessing_names_the_model_that_is_pushed(inputs, outputs):
    """LatestBlessedModelStrategy looks the model up by this id."""
    write_reports(inputs)

    blessing, _ = run(inputs, outputs)

    assert blessing.get_int_custom_property("current_model_id") == 42
    assert blessing.get_string_custom_property("current_model").endswith("/model")


def test_unresponsive_model_is_refused_with_the_reason(inputs, outputs):
    write_reports(inputs, responsiveness=builders.responsiveness_report(creator=0.0))

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    assert promotion["blessed"] is False
    failed = [rule for rule in promotion["rules"] if not rule["passed"]]
    assert [rule["name"] for rule in failed] == [
        "creator.dislike beside before (interval high)",
        "creator.dislike beside control (interval high)",
    ]
    assert failed[0]["required"] == "<= -0.1"


def write_catalogue(tmp_path, *items):
    lines = [json.dumps({"item_id": f"i{n}", **item}) for n, item in enumerate(items)]
    path = tmp_path / "model" / "Format-Serving" / "assets.extra" / "catalog.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")


def test_catalogue_of_the_model_decides_what_must_respond(inputs, outputs, tmp_path):
    """The report says of creators that there are none; the catalogue knows better."""
    write_reports(inputs, responsiveness=builders.responsiveness_report(creator=None))
    write_catalogue(tmp_path, {"creator_id": "c"}, {"creator_id": "c"})

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    failed = [rule["name"] for rule in promotion["rules"] if not rule["passed"]]
    assert failed[0] == "creator.dislike beside before (interval high)"


def test_catalogue_without_creators_is_not_asked_by_them(inputs, outputs, tmp_path):
    write_reports(inputs, responsiveness=builders.responsiveness_report(creator=None))
    write_catalogue(tmp_path, {"categories": ["a"]}, {"categories": ["a"]})

    blessing, _ = run(inputs, outputs)

    fake_artifacts.assert_blessed(blessing)


@pytest.mark.parametrize(
    "missing",
    [
        "evaluation",
        "responsiveness",
        "infra_blessing",
        "event_anomalies",
        "catalog_anomalies",
    ],
)
def test_missing_report_is_refused(inputs, outputs, missing):
    write_reports(inputs, **{missing: None})

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    assert promotion["blessed"] is False


def test_verdict_keeps_the_headline_figures_by_their_public_names(inputs, outputs):
    write_reports(inputs, responsiveness=builders.responsiveness_report(creator=None))

    _, promotion = run(inputs, outputs)

    figures = promotion["figures"]
    assert figures["metrics"]["recall@10"] == builders.interval(0.1)
    assert set(figures["metrics"]) == {
        "recall@10", "ndcg@10", "delta_ndcg@10", "index_recall@10"
    }  # fmt: skip
    assert figures["responsiveness"]["content.dislike"] == builders.effect(-0.5)
    # What was not measured is left out.
    assert set(figures["responsiveness"]) == {
        "audience_nearest.dislike", "category_overlap.dislike", "content.dislike",
        "cooccurrence.dislike",
    }  # fmt: skip


def test_verdict_can_be_read_from_metadata_alone(inputs, outputs):
    write_reports(inputs)

    blessing, promotion = run(inputs, outputs)

    verdict = json.loads(blessing.get_string_custom_property("verdict"))
    assert verdict == promotion


# --- metadata that are lost do not lose what serves ---------------------------------


@pytest.fixture
def served(tmp_path):
    """A version of another model; there is no blessed one in the metadata."""
    folder = tmp_path / "served" / "100"
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    integrity.write_manifest(str(folder), {"model_id": builders.LAST_BLESSED_ID})
    return folder.parent


def test_served_model_must_have_been_compared_with(inputs, outputs, served):
    write_reports(inputs)

    blessing, promotion = run(inputs, outputs, served_models=served)

    fake_artifacts.assert_refused(blessing)
    assert promotion["baseline_model_id"] == builders.LAST_BLESSED_ID
    failed = [rule["name"] for rule in promotion["rules"] if not rule["passed"]]
    assert failed == ["compared_with_the_last_blessed", "recall@10_drop_interval_high"]


@pytest.mark.parametrize(("high", "is_blessed"), [(0.01, True), (-0.15, False)])
def test_served_model_must_not_be_fallen_behind(
    inputs, outputs, served, high, is_blessed
):
    report = builders.evaluation_report(last_blessed=(0.2, high))
    write_reports(inputs, evaluation=report)

    blessing, _ = run(inputs, outputs, served_models=served)

    assert blessing.get_int_custom_property("blessed") == is_blessed
