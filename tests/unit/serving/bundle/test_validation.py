import numpy as np
import pytest

from schema import settings
from serving import requests
from serving.bundle import faults, signature, validation

EXPECTED = {
    "history_item_id": signature.TensorSpec("string", (None, None)),
    "history_action": signature.TensorSpec("string", (None, None)),
    "history_timestamp": signature.TensorSpec("int64", (None, None)),
    "history_value": signature.TensorSpec("float32", (None, None)),
    "exclude_item_id": signature.TensorSpec("string", (None, None)),
    "k": signature.TensorSpec("int32", (None,)),
}


@pytest.fixture
def inputs():
    history = [requests.Event("a", "view", 1_000, 0.5)]
    return requests.build_inputs([history, history], k=3)


def _message(inputs, limits=None):
    with pytest.raises(faults.RequestError) as caught:
        validation.check_inputs(inputs, EXPECTED, limits)
    assert caught.value.code == "INVALID_ARGUMENT"
    return str(caught.value)


def test_good_request_returns_its_rows(inputs):
    assert validation.check_inputs(inputs, EXPECTED, settings.ServingSettings()) == 2


def test_unknown_input_is_named(inputs):
    inputs["history_item"] = inputs["history_item_id"]
    assert 'unknown input "history_item"; the signature takes' in _message(inputs)


def test_missing_input_is_named(inputs):
    del inputs["k"]
    assert 'missing input "k"' in _message(inputs)


@pytest.mark.parametrize(
    ("name", "array", "got"),
    [
        ("k", np.array([3, 3], np.int64), "int32 [batch]; got int64 [2]"),
        ("k", np.array([[3], [3]], np.int32), "int32 [batch]; got int32 [2, 1]"),
        (
            "history_value",
            np.array([["x"], ["y"]]),
            "float32 [batch, *]; got string [2, 1]",
        ),
    ],
)
def test_wrong_types_and_shapes_are_named(inputs, name, array, got):
    inputs[name] = array
    assert _message(inputs) == f'input "{name}" must be {got}'


def test_fixed_dimensions_are_checked():
    expected = {"x": signature.TensorSpec("float32", (None, 3))}
    good = {"x": np.zeros((2, 3), np.float32)}
    assert validation.check_inputs(good, expected) == 2
    with pytest.raises(faults.RequestError, match=r"\[batch, 3\]; got .* \[2, 4\]"):
        validation.check_inputs({"x": np.zeros((2, 4), np.float32)}, expected)


def test_batch_sizes_must_agree(inputs):
    inputs["k"] = np.array([3], np.int32)
    assert '"history_item_id" has 2 and "k" has 1' in _message(inputs)


def test_history_inputs_must_be_aligned(inputs):
    inputs["history_action"] = np.full((2, 2), b"view", dtype=object)
    message = _message(inputs)
    assert "history_item_id [2, 1]" in message
    assert "history_action [2, 2]" in message


@pytest.mark.parametrize("k", [0, -3])
def test_k_below_one_is_refused(inputs, k):
    inputs["k"] = np.array([5, k], np.int32)
    assert _message(inputs) == f'input "k" must be at least 1; got {k} in row 1'


def test_empty_batch_is_refused(inputs):
    assert "at least one row" in _message({n: a[:0] for n, a in inputs.items()})


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (settings.ServingSettings(max_rows=1), "at most 1 rows; got 2"),
        (
            settings.ServingSettings(max_k=2),
            'input "k" may be at most 2; got 3 in row 0',
        ),
        (settings.ServingSettings(max_results=5), "at most 5; got 2 rows and k 3"),
        (settings.ServingSettings(max_elements=1), "at most 1 elements; got 2"),
    ],
)
def test_limits(inputs, limits, text):
    assert text in _message(inputs, limits)


def test_limits_are_inclusive(inputs):
    limits = settings.ServingSettings(
        max_rows=2, max_k=3, max_results=6, max_elements=2
    )
    assert validation.check_inputs(inputs, EXPECTED, limits) == 2


@pytest.mark.parametrize(
    ("control", "got"),
    [
        ([1.0, -0.1], "-0.1 in row 1"),
        ([2.5, 1.0], "2.5 in row 0"),
        ([0.0, float("inf")], "inf in row 1"),
        ([float("-inf"), 0.0], "-inf in row 0"),
        ([0.0, 1e30], "1e+30 in row 1"),
    ],
)
def test_user_control_outside_its_range_is_refused(inputs, control, got):
    inputs["user_control"] = np.array(control, np.float32)
    with pytest.raises(faults.RequestError) as caught:
        validation.check_inputs(inputs, signature.CONTROLLED_INPUTS)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert str(caught.value) == (
        'input "user_control" must be in [0, 2], or NaN for the model\'s own; '
        f"got {got}"
    )


def test_user_control_in_its_range_or_none_passes(inputs):
    for control in ([0.0, 2.0], [float("nan"), 1.0]):
        inputs["user_control"] = np.array(control, np.float32)
        assert validation.check_inputs(inputs, signature.CONTROLLED_INPUTS) == 2


def test_user_control_has_one_number_a_request(inputs):
    inputs["user_control"] = np.array(1.0, np.float32)
    with pytest.raises(
        faults.RequestError, match=r"float32 \[batch\]; got float32 \[\]"
    ):
        validation.check_inputs(inputs, signature.CONTROLLED_INPUTS)


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinite_values_are_refused(inputs, value):
    inputs["history_value"][1, 0] = value
    assert _message(inputs) == (
        'input "history_value" must be finite, or NaN where a value is absent; got '
        f"{value} at [1, 0]"
    )


def test_absent_values_pass(inputs):
    inputs["history_value"][1, 0] = float("nan")
    assert validation.check_inputs(inputs, EXPECTED) == 2


@pytest.mark.parametrize("name", ["most_of_creator", "most_of_category"])
def test_a_limit_below_none_is_refused(inputs, name):
    inputs[name] = np.array([1, -1], np.int32)
    expected = {**EXPECTED, name: signature.TensorSpec("int32", (None,))}
    with pytest.raises(faults.RequestError, match="or 0 for no limit; got -1 in row 1"):
        validation.check_inputs(inputs, expected)
    inputs[name] = np.array([0, 3], np.int32)
    assert validation.check_inputs(inputs, expected) == 2
