import json
import os

import pytest

from serving.bundle import integrity, manifest
from tests import builders
from tests.components import fake_artifacts
from tests.components.promotion_gate.gate_run import run, seal, write_reports


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
