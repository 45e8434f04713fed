"""Examples transformed file by file are those of TFT's own Beam transform."""

import copy
import json
import os
import pathlib

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from tfx import types
from tfx.components.transform import executor as tfx_executor
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.transform import apply_graph, component, executor
from pipeline import data_steps
from schema import features
from tests.components import fake_artifacts, tiny_pipeline


def read(path):
    records = tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator()
    return [tf.train.Example.FromString(record) for record in records]


def in_parts(examples):
    """Each example without its floats, and the floats, in one order."""
    parts = []
    for example in map(copy.deepcopy, examples):
        feature = example.features.feature
        floats = [
            list(feature[name].float_list.value)
            for name in sorted(feature)
            if feature[name].HasField("float_list")
        ]
        for entry in feature.values():
            entry.ClearField("float_list")
        parts.append((example.SerializeToString(deterministic=True), floats))
    return parts


def assert_same(found, expected):
    """Texts and numbers alike, floats but for the last bits.

    The logarithm of a gap depends on the place in its batch: TensorFlow takes several
    at once by another formula than those left over.
    """
    for (ours, our_floats), (theirs, their_floats) in zip(
        in_parts(found), in_parts(expected), strict=True
    ):
        assert ours == theirs
        for mine, other in zip(our_floats, their_floats, strict=True):
            np.testing.assert_allclose(mine, other, rtol=5e-7)


def in_one_order(examples):
    return sorted(examples, key=lambda example: in_parts([example]))


def test_file_is_transformed_in_its_order(tiny_log, tmp_path):
    """More windows than a batch; TFT's Beam transform is the measure."""
    times = 1 + apply_graph._BATCH_EXAMPLES // len(tiny_log.train)
    raw = [tiny_pipeline.serialized(window.columns()) for window in tiny_log.train]
    source = tiny_pipeline.write_records(tmp_path / "raw.gz", raw * times)
    target = tmp_path / "out" / "transformed.gz"

    apply_graph.write(apply_graph.Shard(source, str(target)), tiny_log.transform_dir)

    found = read(target)
    assert len(found) == len(raw) * times > apply_graph._BATCH_EXAMPLES
    assert_same(found, found[: len(raw)] * times)
    theirs = map(tf.train.Example.FromString, tiny_log.transformed["train"])
    assert_same(in_one_order(found[: len(raw)]), in_one_order(theirs))
    users = [e.features.feature["user_id"].bytes_list.value[0] for e in found]
    assert users == [window.user_id for window in tiny_log.train] * times


def test_file_without_examples_gives_one_without(tiny_log, tmp_path):
    source = tiny_pipeline.write_records(tmp_path / "raw.gz", [])
    target = tmp_path / "transformed.gz"

    apply_graph.write(apply_graph.Shard(source, str(target)), tiny_log.transform_dir)

    assert target.stat().st_size > 0
    assert read(target) == []


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """Two files of a catalogue, and its schema."""
    folder = tmp_path_factory.mktemp("catalog")
    records = [tiny_pipeline.serialized(row) for row in tiny_pipeline.make_catalog()]
    (folder / "examples" / "Split-catalog").mkdir(parents=True)
    for number, part in enumerate([records[:9], records[9:]]):
        tiny_pipeline.write_records(
            folder / "examples" / "Split-catalog" / f"examples-{number}.gz", part
        )
    examples = fake_artifacts.make(
        standard_artifacts.Examples, folder / "examples", [features.CATALOG]
    )
    (folder / "schema").mkdir()
    source = pathlib.Path(data_steps._schema_file("catalog_schema.pbtxt"))
    (folder / "schema" / "schema.pbtxt").write_text(source.read_text())
    schema = fake_artifacts.make(standard_artifacts.Schema, folder / "schema")
    return {"examples": [examples], "schema": [schema]}


def run(executor_class, catalog, folder):
    node = component.Transform(
        types.Channel(type=standard_artifacts.Examples),
        types.Channel(type=standard_artifacts.Schema),
        data_steps.CATALOG_PREPROCESSING_FN,
        features.CATALOG,
        [features.CATALOG],
    )
    outputs = {
        key: [fake_artifacts.make(channel.type, folder / key)]
        for key, channel in node.outputs.items()
    }
    context = executor_class.Context(
        make_beam_pipeline_fn=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"])
    )
    properties = {
        name: value
        if isinstance(value, (str, int))
        else proto_utils.proto_to_json(value)
        for name, value in node.exec_properties.items()
        if value is not None
    }
    executor_class(context).Do(catalog, outputs, properties)
    return outputs


def test_outputs_are_those_of_the_executor_of_tfx(catalog, tmp_path):
    """The same graph and the same examples, where TFX's executor writes them."""
    ours = run(executor.Executor, catalog, tmp_path / "ours")
    theirs = run(tfx_executor.Executor, catalog, tmp_path / "theirs")

    assert ours.keys() == theirs.keys() == {"transform_graph", "transformed_examples"}
    found = []
    for outputs in (ours, theirs):
        (artifact,) = outputs["transformed_examples"]
        assert json.loads(artifact.split_names) == [features.CATALOG]
        files = sorted(pathlib.Path(artifact.uri, "Split-catalog").glob("*"))
        examples = [example for file in files for example in read(file)]
        found.append(in_one_order(examples))
    assert_same(*found)
    assert len(found[0]) == tiny_pipeline.NUM_ITEMS
    (graph,), (other,) = ours["transform_graph"], theirs["transform_graph"]
    assert sorted(os.listdir(graph.uri)) == sorted(os.listdir(other.uri))
    for name in ("creator", "category", "attribute"):
        path = os.path.join("transform_fn", "assets", name)
        content = pathlib.Path(graph.uri, path).read_bytes()
        assert content == pathlib.Path(other.uri, path).read_bytes()
