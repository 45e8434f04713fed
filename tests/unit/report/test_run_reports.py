import json

import pytest

from pipeline.report import run_reports
from schema import errors
from tests.unit.report import report_run


def test_all_files_are_read(tmp_path):
    reports = run_reports.read(report_run.write_run(tmp_path))
    assert reports.ingestion.events_rejected["bad_timestamp"] == 10
    assert reports.evaluation.metrics["recall@10"].value == 0.5
    assert reports.responsiveness.effects["content"]["dislike"].responsiveness == -0.25
    assert reports.training.root[2]["loss"] == 3.5
    assert reports.promotion.rules[1].observed == 0.5
    assert reports.missing_files() == ()


def test_only_ingestion_is_needed(tmp_path):
    others = (*report_run.FILES, "predictions.parquet")[1:]
    reports = run_reports.read(report_run.write_run(tmp_path, leave_out=others))
    assert set(reports.missing_files()) == set(others)


def test_without_ingestion_the_error_says_what_to_do(tmp_path):
    with pytest.raises(errors.InputError, match=r"ingestion\.json.*heed run --root"):
        run_reports.read(tmp_path)


@pytest.mark.parametrize("name", report_run.FILES)
def test_malformed_json_names_file_and_line(tmp_path, name):
    report_run.write_run(tmp_path)
    (tmp_path / "reports" / name).write_text('{"a": 1,\n "b": }')
    with pytest.raises(errors.InputError, match=rf"{name}, line 2, column 7"):
        run_reports.read(tmp_path)


def test_text_in_another_encoding_names_the_file(tmp_path):
    report_run.write_run(tmp_path)
    (tmp_path / "reports" / "catalog.json").write_bytes(b'{"source": "\xe9"}')
    with pytest.raises(errors.InputError, match=r"catalog\.json: expected UTF-8"):
        run_reports.read(tmp_path)


@pytest.mark.parametrize(
    ("stem", "path", "wrong", "key"),
    [
        ("ingestion", ("users",), "many", "users"),
        ("ingestion", ("examples", "train"), None, "examples.train"),
        ("evaluation", ("metrics", "mrr", "value"), "x", "metrics.mrr.value"),
        ("promotion", ("rules", 1, "passed"), "perhaps", "rules.1.passed"),
        ("responsiveness", ("content.dislike", "low"), [], "effects.content.dislike"),
        ("training_history", (1, "loss"), "x", "1.loss"),
    ],
)
def test_wrong_content_names_file_and_key(tmp_path, stem, path, wrong, key):
    content = report_run.altered(report_run.FILES[f"{stem}.json"], *path, to=wrong)
    report_run.write_run(tmp_path, **{stem: content})
    with pytest.raises(errors.InputError, match=rf"{stem}\.json, key {key}"):
        run_reports.read(tmp_path)


@pytest.mark.parametrize("stem", ["ingestion", "evaluation", "promotion"])
def test_a_list_where_an_object_belongs_is_refused(tmp_path, stem):
    report_run.write_run(tmp_path, **{stem: [1, 2]})
    with pytest.raises(errors.InputError, match=rf"{stem}\.json, key the whole file"):
        run_reports.read(tmp_path)


def test_nan_and_infinity_count_as_missing(tmp_path):
    evaluation = report_run.altered(
        report_run.EVALUATION, "metrics", "mrr", to=report_run.interval(0.1, 0.0, 0.2)
    )
    written = '{"value": 0.1, "low": 0.0, "high": 0.2,'
    text = json.dumps(evaluation)
    assert written in text
    text = text.replace(written, '{"value": NaN, "low": -Infinity, "high": Infinity,')
    report_run.write_run(tmp_path)
    (tmp_path / "reports" / "evaluation.json").write_text(text)
    assert run_reports.read(tmp_path).evaluation.metrics["mrr"].value is None


def test_keys_of_later_versions_are_ignored(tmp_path):
    later = {**report_run.PROMOTION, "signed_by": {"name": "someone"}}
    report_run.write_run(tmp_path, promotion=later)
    assert run_reports.read(tmp_path).promotion.blessed


def test_baseline_metrics_may_lie_beside_the_differences(tmp_path):
    baseline = report_run.EVALUATION["baselines"]["popularity"]
    flat = {**baseline["metrics"], "differences": baseline["differences"]}
    report_run.write_run(
        tmp_path,
        evaluation=report_run.altered(
            report_run.EVALUATION, "baselines", "popularity", to=flat
        ),
    )
    found = run_reports.read(tmp_path).evaluation.baselines["popularity"]
    assert set(found.metrics) == {"recall@10", "negative_recall@10"}
    assert found.differences["recall@10"].low == 0.1
