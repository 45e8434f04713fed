"""AnomalyCheck on what TFDV itself writes about good and bad examples."""

import importlib.resources
import json
import os

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from components import artifacts
from components.anomaly_check import check, executor
from schema import errors, reports
from tests.components import fake_artifacts, tiny_pipeline


def clean(examples=1):
    return {"examples": examples, "split_examples": examples, "anomalies": {}}


def raise_on_anomalies(splits):
    check.raise_on_anomalies(reports.Anomalies.model_validate(splits))


def test_sound_data_pass():
    raise_on_anomalies({"train": clean(), "eval": clean(0)})
    raise_on_anomalies({})


def test_every_anomaly_is_told_with_split_and_feature():
    with pytest.raises(errors.InputError) as caught:
        raise_on_anomalies(
            {
                "train": {
                    "examples": 2,
                    "anomalies": {"value": "NaN", "action": "gone"},
                },
                "eval": clean(),
                "test": {"examples": 1, "anomalies": {"item_id": "empty"}},
            }
        )

    message = str(caught.value)
    assert (
        "split test, feature item_id: empty; split train, feature action: gone; "
        "split train, feature value: NaN" in message
    )
    assert "eval" not in message
    assert "mend the log" in message


# --- with TFDV --------------------------------------------------------------------


def write_statistics(tmp_path, splits):
    """Statistics and anomalies as StatisticsGen and ExampleValidator leave them."""
    text = (importlib.resources.files("schema") / "events_schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    for split, windows in splits.items():
        records = [tiny_pipeline.serialized(columns) for columns in windows]
        path = tiny_pipeline.write_records(tmp_path / f"{split}.gz", records)
        statistics = tfdv.generate_statistics_from_tfrecord(
            path, stats_options=tfdv.StatsOptions(schema=schema)
        )
        found = tfdv.validate_statistics(statistics, schema)
        for kind, name, message in (
            ("statistics", "FeatureStats.pb", statistics),
            ("anomalies", "SchemaDiff.pb", found),
        ):
            folder = tmp_path / kind / f"Split-{split}"
            folder.mkdir(parents=True)
            (folder / name).write_bytes(message.SerializeToString())
    return {
        "statistics": [
            fake_artifacts.make(
                standard_artifacts.ExampleStatistics, tmp_path / "statistics", splits
            )
        ],
        "anomalies": [
            fake_artifacts.make(
                standard_artifacts.ExampleAnomalies, tmp_path / "anomalies", splits
            )
        ],
    }


def run(inputs, tmp_path):
    report = fake_artifacts.make(artifacts.AnomalyReport, tmp_path / "report")
    checks = {"max_drift": {}, "max_drift_key": "", "min_examples": 1}
    executor.Executor().Do(
        inputs,
        {"report": [report]},
        {
            "checks": json.dumps({**checks, "max_skew": {}, "request_log": ""}),
            "baseline_dir": str(tmp_path / "baseline"),
        },
    )
    content = fake_artifacts.read_json(report, "anomalies.json")
    for entry in content.values():
        assert not entry.pop("drift")["compared"]
    return content


@pytest.fixture
def good(rng):
    return [tiny_pipeline.make_window(rng, u, 5).columns() for u in range(4)]


def test_good_examples_pass_and_an_empty_split_is_none(good, tmp_path):
    inputs = write_statistics(tmp_path, {"train": good, "eval": good[:2], "test": []})

    content = run(inputs, tmp_path)

    assert content == {"train": clean(4), "eval": clean(2), "test": clean(0)}


def test_report_tells_a_sample_from_the_whole(good, tmp_path):
    inputs = write_statistics(tmp_path, {"train": good, "eval": good[:2]})
    sizes = {"train": [4, 9], "eval": [2, 2]}
    (tmp_path / "statistics" / "sample.json").write_text(json.dumps(sizes))

    content = run(inputs, tmp_path)

    assert content == {"train": {**clean(4), "split_examples": 9}, "eval": clean(2)}


def test_bad_examples_stop_the_run_but_leave_the_report(good, tmp_path):
    bad = {**good[0], "is_label": [7] * 5}
    inputs = write_statistics(tmp_path, {"train": good, "eval": [*good, bad]})

    with pytest.raises(errors.InputError, match="split eval, feature is_label"):
        run(inputs, tmp_path)

    assert os.path.exists(tmp_path / "report" / "anomalies.json")


def test_missing_feature_stops_the_run(good, tmp_path):
    without = [{k: v for k, v in w.items() if k != "timestamp"} for w in good]
    inputs = write_statistics(tmp_path, {"train": without})

    with pytest.raises(errors.InputError, match="split train, feature timestamp"):
        run(inputs, tmp_path)
