import hashlib
import json
import os

import pytest
from tfx.types import standard_artifacts

from components import artifacts
from components.promotion_gate import config as gate_config
from components.promotion_gate import executor
from schema import settings
from serving.bundle import integrity, manifest
from tests import builders
from tests.components import fake_artifacts

POLICY = settings.GateSettings(
    max_content_responsiveness=-0.1, max_creator_responsiveness=-0.1
)


@pytest.fixture
def inputs(tmp_path):
    """The artifacts on disk; reports are written by the tests."""
    model = fake_artifacts.make(
        standard_artifacts.Model, tmp_path / "model", artifact_id=42
    )
    serving = tmp_path / "model" / "Format-Serving" / "assets.extra"
    serving.mkdir(parents=True)
    integrity.write_manifest(str(serving.parent), {"model_id": builders.MODEL_ID})
    kinds = {
        "evaluation": standard_artifacts.ModelEvaluation,
        "responsiveness": artifacts.ResponsivenessReport,
        "infra_blessing": standard_artifacts.InfraBlessing,
        "event_anomalies": artifacts.AnomalyReport,
        "catalog_anomalies": artifacts.AnomalyReport,
    }
    examples = fake_artifacts.make(standard_artifacts.Examples, tmp_path / "examples")
    examples.uri = builders.EXAMPLES_URI
    others = {
        key: [fake_artifacts.make(kind, tmp_path / key)] for key, kind in kinds.items()
    }
    return {"model": [model], "examples": [examples], **others}


@pytest.fixture
def outputs(tmp_path):
    return {
        "blessing": [
            fake_artifacts.make(standard_artifacts.ModelBlessing, tmp_path / "blessing")
        ],
        "promotion": [
            fake_artifacts.make(artifacts.PromotionReport, tmp_path / "promotion")
        ],
    }


def digest_of(model):
    """Whatever is written down of the model's files, by hand."""
    path = os.path.join(model.uri, "Format-Serving", manifest.MANIFEST_FILE)
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def seal(artifact, file):
    with open(os.path.join(artifact.uri, file), "rb") as found:
        digest = hashlib.sha256(found.read()).hexdigest()
    artifact.set_string_custom_property("report_sha256", digest)


def write_reports(inputs, **reports):
    files = {
        "evaluation": "evaluation.json",
        "responsiveness": "responsiveness.json",
        "infra_blessing": "serving_check.json",
        "event_anomalies": "anomalies.json",
        "catalog_anomalies": "anomalies.json",
    }
    given = {
        "evaluation": builders.evaluation_report(),
        "responsiveness": builders.responsiveness_report(),
        "infra_blessing": builders.serving_check_report(),
        "event_anomalies": builders.anomaly_report(),
        "catalog_anomalies": builders.anomaly_report(),
        **reports,
    }
    for key, content in given.items():
        if content is not None:
            if "model_digest" in content:
                content = {**content, "model_digest": digest_of(inputs["model"][0])}
            fake_artifacts.write_json(inputs[key][0], files[key], content)
            seal(inputs[key][0], files[key])


def run(inputs, outputs, policy=POLICY, served_models=""):
    config = gate_config.GateConfig(
        gate=policy, explicit_actions=("dislike",), has_judge=True
    )
    executor.Executor().Do(
        inputs,
        outputs,
        {"gate_config": config.to_json(), "served_models": str(served_models)},
    )
    return (
        outputs["blessing"][0],
        fake_artifacts.read_json(outputs["promotion"][0], "promotion.json"),
    )


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


def test_model_without_a_manifest_is_refused(inputs, outputs, tmp_path):
    write_reports(inputs)
    (tmp_path / "model" / "Format-Serving" / manifest.MANIFEST_FILE).unlink()

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    assert promotion["model_id"] is None


def test_model_with_a_flipped_bit_is_refused_with_the_file(inputs, outputs, tmp_path):
    variables = tmp_path / "model" / "Format-Serving" / "variables"
    variables.mkdir()
    (variables / "data").write_bytes(b"1.5")
    integrity.write_manifest(str(variables.parent), {"model_id": builders.MODEL_ID})
    write_reports(inputs)
    fake_artifacts.assert_blessed(run(inputs, outputs)[0])
    os.remove(tmp_path / "blessing" / "BLESSED")
    (variables / "data").write_bytes(b"1.4")

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    failed, *others = [rule for rule in promotion["rules"] if not rule["passed"]]
    assert failed["name"] == "model_files"
    assert all(rule["name"].endswith("_is_of_these_files") for rule in others)
    assert "variables/data is not the file that was exported" in failed["observed"]
    assert "damaged or replaced after IndexBuilder" in failed["hint"]


@pytest.mark.parametrize("content", ["{", "null"])
def test_model_with_a_damaged_manifest_is_refused(inputs, outputs, tmp_path, content):
    write_reports(inputs)
    path = tmp_path / "model" / "Format-Serving" / manifest.MANIFEST_FILE
    path.write_text(content, encoding="utf-8")

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    failed = {r["name"]: r["observed"] for r in promotion["rules"] if not r["passed"]}
    assert "manifest.json: expected a JSON object" in failed["model_files"]


@pytest.mark.parametrize(
    ("key", "file", "name"),
    [
        ("evaluation", "evaluation.json", "evaluation_is_valid"),
        ("responsiveness", "responsiveness.json", "responsiveness_is_valid"),
        ("infra_blessing", "serving_check.json", "serving_check_is_valid"),
        ("event_anomalies", "anomalies.json", "event_anomalies_is_valid"),
        ("catalog_anomalies", "anomalies.json", "catalog_anomalies_is_valid"),
    ],
)
def test_broken_report_is_refused_with_the_reason(
    inputs, outputs, tmp_path, key, file, name
):
    write_reports(inputs)
    (tmp_path / key / file).write_text('{"a": 1', encoding="utf-8")

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    assert promotion["rules"][0]["name"] == name
    assert promotion["rules"][0]["observed"] == (
        f"not a valid {file}: line 1, column 8: expected JSON; Expecting ',' delimiter"
    )


@pytest.mark.parametrize(
    ("key", "file", "name", "words"),
    [
        ("evaluation", "evaluation.json", "evaluation", ("0.99", "0.98")),
        ("responsiveness", "responsiveness.json", "responsiveness", ("0.7", "0.8")),
        ("infra_blessing", "serving_check.json", "serving_check", ("[]", "[ ]")),
        ("event_anomalies", "anomalies.json", "event_anomalies", ("10", "11")),
        ("catalog_anomalies", "anomalies.json", "catalog_anomalies", ("10", "11")),
    ],
)
def test_report_that_was_edited_by_hand_is_refused(
    inputs, outputs, tmp_path, key, file, name, words
):
    write_reports(inputs)
    path = tmp_path / key / file
    text = path.read_text(encoding="utf-8")
    assert words[0] in text
    path.write_text(text.replace(*words), encoding="utf-8")

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    first = promotion["rules"][0]
    assert first["name"] == f"{name}_is_valid"
    assert f"not a valid {file}: edited after it was written" in first["observed"]


def test_report_that_nobody_sealed_is_refused(inputs, outputs):
    write_reports(inputs)
    del inputs["evaluation"][0].mlmd_artifact.custom_properties["report_sha256"]

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    assert "expected its digest in the metadata" in promotion["rules"][0]["observed"]


def test_good_report_of_another_model_is_refused(inputs, outputs, tmp_path):
    """It is whole and sealed: as if it were taken from the cache of another run."""
    write_reports(inputs)
    report = {**builders.evaluation_report(), "model_digest": "1" * 64}
    fake_artifacts.write_json(inputs["evaluation"][0], "evaluation.json", report)
    seal(inputs["evaluation"][0], "evaluation.json")

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    (failed,) = [rule for rule in promotion["rules"] if not rule["passed"]]
    assert failed["name"] == "evaluation_is_of_these_files"


def test_recall_above_one_is_refused_with_the_reason(inputs, outputs):
    report = builders.evaluation_report(recall=1.5)
    write_reports(inputs, evaluation=report)

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    assert promotion["rules"][0]["observed"] == (
        "not a valid evaluation.json: metrics.recall@10.value: must be <= 1; got '1.5'"
    )


def test_nan_in_a_report_is_refused_and_not_written_on(inputs, outputs, tmp_path):
    report = builders.evaluation_report(recall=float("nan"))
    write_reports(inputs, evaluation=report)

    blessing, promotion = run(inputs, outputs)

    fake_artifacts.assert_refused(blessing)
    failed = [rule for rule in promotion["rules"] if not rule["passed"]]
    assert {rule["observed"] for rule in failed} == {None}
    assert {rule["name"].split()[0] for rule in failed} == {"recall@10"}
    assert promotion["figures"]["metrics"]["recall@10"]["value"] is None
    text = (tmp_path / "promotion" / "promotion.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


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
