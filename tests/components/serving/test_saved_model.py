import gc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from schema import errors
from serving import requests
from serving.bundle import faults, saved_model
from tests.components.serving import tiny_model

HISTORY = [("i3", "view", 1_001, 0.5), ("i4", "dislike|view", 1_003, None)]
EVENTS = [requests.Event(*row) for row in HISTORY]


@pytest.fixture(scope="module")
def model(tiny_model_dir):
    return saved_model.load(tiny_model_dir)


def test_recommendations_equal_the_oracle(model):
    inputs = requests.build_inputs([EVENTS], k=7, exclude=[["i17"]])
    (slate,) = requests.parse_outputs(model.predict(inputs))

    expected = tiny_model.expected_slate(HISTORY, 7, ["i17"])
    assert [(one.item_id, one.score) for one in slate] == expected
    # The dislike moves something, or the comparison would prove little.
    assert expected != tiny_model.expected_slate(HISTORY[:1], 7, ["i17"])


def test_signature_is_described(model):
    spec = model.signatures["serving_default"]
    assert spec.inputs["k"] == ("int32", (None,))
    assert spec.inputs["history_value"] == ("float32", (None, None))
    assert set(spec.outputs) == {"item_id", "score"}
    assert spec.is_batchable()


def test_parent_directory_means_its_newest_version(tiny_model_dir):
    assert saved_model.load(tiny_model_dir.parent).directory == str(tiny_model_dir)


def test_text_may_be_str_bytes_or_fixed_width(model):
    inputs = requests.build_inputs([EVENTS], k=3)
    expected = model.predict(inputs)["item_id"].tolist()
    for kind in ("U", "S"):
        as_kind = {
            name: array.astype(kind) if array.dtype == object else array
            for name, array in inputs.items()
        }
        assert model.predict(as_kind)["item_id"].tolist() == expected


def test_wrong_inputs_are_named_before_tensorflow_sees_them(model):
    inputs = requests.build_inputs([EVENTS], k=3)
    inputs["k"] = np.array([3], np.int64)
    with pytest.raises(faults.RequestError, match='input "k" must be int32'):
        model.predict(inputs)
    with pytest.raises(faults.RequestError, match='no signature "nope"'):
        model.predict(inputs, "nope")


def test_damaged_model_is_an_input_error(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"\x00garbage")
    with pytest.raises(errors.InputError, match="cannot be loaded"):
        saved_model.load(tmp_path)


def test_a_model_that_is_let_go_leaves_nothing_behind(tmp_path):
    @tf.custom_gradient
    def doubled(x):
        return 2 * x, lambda upstream: 2 * upstream

    module = tf.Module()
    module.serve = tf.function(
        lambda x: {"y": doubled(x)},
        input_signature=[tf.TensorSpec([None], tf.float32, name="x")],
    )
    path = tmp_path / "1"
    tf.saved_model.save(module, path, signatures={"serving_default": module.serve})

    def functions_after_a_load():
        loaded = saved_model.load(path)
        answer = loaded.predict({"x": np.array([3.0], np.float32)})
        assert answer["y"].tolist() == [6.0]
        del loaded
        gc.collect()
        return len(context.context().list_function_names())

    first = functions_after_a_load()
    assert [functions_after_a_load() for _ in range(2)] == [first, first]
