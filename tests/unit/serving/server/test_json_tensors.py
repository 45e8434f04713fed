import json
import math

import numpy as np
import pytest

from serving.bundle import faults, signature
from serving.server import json_tensors

EXPECTED = {
    "history_item_id": signature.TensorSpec("string", (None, None)),
    "history_value": signature.TensorSpec("float32", (None, None)),
    "history_timestamp": signature.TensorSpec("int64", (None, None)),
    "k": signature.TensorSpec("int32", (None,)),
}
ONE = {"x": signature.TensorSpec("float32", (None,))}


def _instance(items=("a",), values=(0.5,), times=(1,), k=1):
    return {
        "history_item_id": list(items),
        "history_value": list(values),
        "history_timestamp": list(times),
        "k": k,
    }


def _arrays(body, expected=None):
    parsed = json_tensors.parse_body(
        body if isinstance(body, bytes) else json.dumps(body).encode()
    )
    return json_tensors.to_arrays(parsed, expected or EXPECTED)


def _message(body, expected=None):
    with pytest.raises(faults.RequestError) as caught:
        _arrays(body, expected)
    assert caught.value.code == "INVALID_ARGUMENT"
    return str(caught.value)


def test_row_and_column_form_agree():
    rows = _arrays({"instances": [_instance(), _instance(("b",), (1,), (2,), 7)]})
    columns = _arrays(
        {
            "inputs": {
                "history_item_id": [["a"], ["b"]],
                "history_value": [[0.5], [1]],
                "history_timestamp": [[1], [2]],
                "k": [1, 7],
            }
        }
    )

    assert rows["history_item_id"].tolist() == [[b"a"], [b"b"]]
    assert rows["history_value"].tolist() == [[0.5], [1.0]]
    assert rows["k"].tolist() == [1, 7]
    for name in EXPECTED:
        assert rows[name].dtype == columns[name].dtype
        np.testing.assert_array_equal(rows[name], columns[name])


def test_ragged_instances_are_padded_at_the_end():
    rows = _arrays(
        {"instances": [_instance(("a", "b"), (1, 2), (1, 2)), _instance((), (), ())]}
    )

    assert rows["history_item_id"].tolist() == [[b"a", b"b"], [b"", b""]]
    assert rows["history_timestamp"].tolist() == [[1, 2], [0, 0]]
    assert np.isnan(rows["history_value"][1]).all()


def test_ragged_columns_are_refused_as_in_tensorflow_serving():
    body = {"inputs": {**_instance(), "history_item_id": [["a"], ["b", "c"]]}}
    assert 'input "history_item_id": lists of one level' in _message(body)


def test_misaligned_instance_is_refused():
    body = {"instances": [_instance(), _instance(("a", "b"), (1,), (1, 2))]}
    message = _message(body)
    assert message.startswith("instance 1: the history inputs must have one length")
    assert "history_value [1]" in message


def test_nan_infinity_and_null():
    rows = _arrays(
        b'{"instances": [{"history_item_id": ["a", "b", "c"], "k": 1, '
        b'"history_value": [NaN, null, -Infinity], "history_timestamp": [1, 2, 3]}]}'
    )

    value = rows["history_value"][0]
    assert math.isnan(value[0])
    assert math.isnan(value[1])
    assert value[2] == -math.inf


def test_base64_text():
    rows = _arrays({"instances": [_instance([{"b64": "/wA="}])]})
    assert rows["history_item_id"].tolist() == [[b"\xff\x00"]]


def test_single_input_needs_no_name():
    assert _arrays({"instances": [1.0, 2.5]}, ONE)["x"].tolist() == [1.0, 2.5]
    assert _arrays({"inputs": [1.0, 2.5]}, ONE)["x"].tolist() == [1.0, 2.5]


def test_empty_column_lists_keep_their_shape():
    columns = _arrays({"inputs": {**_column(), "history_item_id": [[], []]}})
    assert columns["history_item_id"].shape == (2, 0)


def _column():
    return {
        "history_item_id": [["a"], ["b"]],
        "history_value": [[1], [2]],
        "history_timestamp": [[1], [2]],
        "k": [1, 2],
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        ([], "must be a JSON object; got a list"),
        ({}, "got neither"),
        ({"instances": [], "inputs": {}}, "got instances and inputs"),
        ({"instances": []}, "at least one instance"),
        ({"instances": {}}, "must be a list"),
        ({"instances": ["a"]}, "must name each input"),
        ({"instances": [_instance(), 3]}, "instance 1 must be an object"),
        ({"instances": [{"k": 1}]}, "instance 0: missing input"),
        ({"instances": [{**_instance(), "K": 1}]}, 'unknown input "K"'),
        ({"inputs": {"k": [1]}}, "missing input"),
        ({"signature_name": 3, "inputs": {}}, '"signature_name" must be a string'),
        ({"instances": [_instance(k=1.5)]}, 'instance 0, input "k": expected int32'),
        ({"instances": [_instance(k=True)]}, "expected int32; got true"),
        ({"instances": [_instance(k=2**31)]}, "expected int32; got 2147483648"),
        ({"instances": [_instance(k="1")]}, 'expected int32; got "1"'),
        ({"instances": [_instance(items=(1,))]}, "expected string; got 1"),
        ({"instances": [_instance(items=[{"b64": "?"}])]}, "not valid base64"),
        ({"instances": [_instance(items=["\ud800"])]}, "not valid Unicode"),
        ({"instances": [_instance(values=(1e39,))]}, "expected float32; got 1e"),
        ({"instances": [_instance(values=("1",))]}, 'expected float32; got "1"'),
    ],
)
def test_bad_bodies_are_explained(body, message):
    assert message in _message(body)


@pytest.mark.parametrize("depth", [9, 40, 400])
def test_lists_deeper_than_any_signature_are_refused(depth):
    deep = "[" * depth + "1" + "]" * depth
    body = f'{{"signature_name": "s", "inputs": {deep}}}'.encode()
    assert "nested too deeply" in _message(body, ONE)


def test_integers_too_long_for_python_are_refused():
    body = b'{"inputs": [' + b"1" * 5_000 + b"]}"
    assert "cannot be read" in _message(body, ONE)
