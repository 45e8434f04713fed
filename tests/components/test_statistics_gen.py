"""Statistics are those of TFDV's Beam transform, written where TFX writes them."""

import collections
import importlib.resources
import json

import apache_beam as beam
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.types import standard_artifacts

from components.anomaly_check import drift
from components.statistics_gen import component, executor
from tests.components import fake_artifacts, tiny_pipeline


@pytest.fixture(scope="module")
def windows():
    import numpy as np

    rng = np.random.default_rng(4)
    return [tiny_pipeline.make_window(rng, u, 4 + u % 5).columns() for u in range(60)]


@pytest.fixture(scope="module")
def examples(windows, tmp_path_factory):
    """Two files of train, a smaller eval, a test without examples, and the judge's."""
    folder = tmp_path_factory.mktemp("examples")
    splits = {
        "train": [windows[:25], windows[25:40]],
        "eval": [windows[40:50]],
        "test": [[]],
        "judge": [windows[50:]],
    }
    for split, files in splits.items():
        (folder / f"Split-{split}").mkdir()
        for number, rows in enumerate(files):
            tiny_pipeline.write_records(
                folder / f"Split-{split}" / f"examples-{number}.gz",
                [tiny_pipeline.serialized(row) for row in rows],
            )
    return fake_artifacts.make(standard_artifacts.Examples, folder, splits)


def run(examples, folder, max_examples):
    node = component.StatisticsGen(
        types.Channel(type=standard_artifacts.Examples), ["judge"], max_examples
    )
    statistics = fake_artifacts.make(standard_artifacts.ExampleStatistics, folder)
    context = executor.Executor.Context(
        make_beam_pipeline_fn=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"])
    )
    executor.Executor(context).Do(
        {"examples": [examples]}, {"statistics": [statistics]}, node.exec_properties
    )
    return statistics


def read(statistics, split):
    return tfdv.load_stats_binary(f"{statistics.uri}/Split-{split}/FeatureStats.pb")


def rates(statistics):
    return json.loads(statistics.get_json_value_custom_property("sample_rate_by_split"))


@pytest.fixture(scope="module")
def whole(examples, tmp_path_factory):
    return run(examples, tmp_path_factory.mktemp("whole"), 1_000)


def by_name(statistics):
    (dataset,) = statistics.datasets
    return {feature.path.step[0]: feature for feature in dataset.features}


def test_splits_are_those_of_the_examples_without_the_excluded(whole):
    assert json.loads(whole.split_names) == ["train", "eval", "test"]
    assert rates(whole) == {"train": 1.0, "eval": 1.0, "test": 1.0}


def test_values_are_counted(whole, windows):
    """By hand, from the windows themselves."""
    found = by_name(read(whole, "train"))
    items = collections.Counter(i for row in windows[:40] for i in row["item_id"])
    stats = found["item_id"].string_stats

    assert stats.common_stats.num_non_missing == 40
    assert stats.common_stats.tot_num_values == sum(items.values())
    assert stats.unique == len(items)
    top = {entry.value.encode(): entry.frequency for entry in stats.top_values}
    assert top == {item: items[item] for item in top}
    assert sorted(top.values()) == sorted(items.values())[-len(top) :]
    times = [t for row in windows[:40] for t in row["timestamp"]]
    assert found["timestamp"].num_stats.mean == pytest.approx(sum(times) / len(times))
    assert found["timestamp"].num_stats.max == max(times)


def test_statistics_are_those_of_the_beam_transform(whole, examples):
    """TFDV's own way: exact counts of texts, each value an element of Beam's."""
    theirs = tfdv.generate_statistics_from_tfrecord(f"{examples.uri}/Split-train/*.gz")
    ours, theirs = by_name(read(whole, "train")), by_name(theirs)

    assert ours.keys() == theirs.keys()
    for name, feature in theirs.items():
        assert ours[name].type == feature.type
        kind = feature.WhichOneof("stats")
        mine, other = getattr(ours[name], kind), getattr(feature, kind)
        assert mine.common_stats == other.common_stats, name
        if kind == "string_stats":
            assert mine.unique == other.unique
            assert mine.rank_histogram == other.rank_histogram
            assert mine.top_values == other.top_values
        else:
            assert mine.mean == pytest.approx(other.mean)
            assert mine.std_dev == pytest.approx(other.std_dev)
            assert (mine.min, mine.median, mine.max) == (
                other.min, other.median, other.max,
            )  # fmt: skip


def test_a_split_without_examples_has_statistics_of_none(whole):
    text = (importlib.resources.files("schema") / "events_schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    found = read(whole, "test")

    assert drift.num_examples(found) == 0
    tfdv.validate_statistics(found, schema)


def test_a_large_split_is_sampled_and_says_so(examples, windows, tmp_path):
    """Ten a file of train: of 25 every fourth, of 15 every second."""
    sampled = run(examples, tmp_path / "sampled", 20)
    again = run(examples, tmp_path / "again", 20)

    assert drift.num_examples(read(sampled, "train")) == 7 + 8
    assert rates(sampled) == {"train": 15 / 40, "eval": 1.0, "test": 1.0}
    sizes = json.loads((tmp_path / "sampled" / "sample.json").read_text())
    assert sizes == {"eval": [10, 10], "test": [0, 0], "train": [15, 40]}
    kept = windows[:25:4] + windows[25:40:2]
    times = [t for row in kept for t in row["timestamp"]]
    found = by_name(read(sampled, "train"))["timestamp"].num_stats
    assert found.max == max(times)
    assert found.common_stats.tot_num_values == len(times)
    for split in ("train", "eval", "test"):
        assert read(sampled, split) == read(again, split)


def test_anomalies_of_all_examples_are_found(whole, windows, tmp_path, examples):
    """A value that the schema refuses, in one example of many."""
    text = (importlib.resources.files("schema") / "events_schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    assert not tfdv.validate_statistics(read(whole, "train"), schema).anomaly_info

    rows = [dict(row) for row in windows[:30]]
    rows[17]["is_label"] = [7] * len(rows[17]["is_label"])
    bad = fake_artifacts.examples(
        tmp_path / "bad", {"train": [tiny_pipeline.serialized(row) for row in rows]}
    )
    found = read(run(bad, tmp_path / "of_bad", 1_000), "train")
    assert set(tfdv.validate_statistics(found, schema).anomaly_info) == {"is_label"}
