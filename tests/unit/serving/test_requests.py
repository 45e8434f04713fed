import math
import subprocess
import sys

import numpy as np
import pytest

from schema import errors
from serving import requests

Event = requests.Event


def test_arrays_are_oldest_first_and_padded_at_the_end():
    inputs = requests.build_inputs(
        [
            [Event("b", "view", 2_000, 0.5), Event("a", "like", 1_000)],
            [Event("c", "skip", 3_000, 0.0)],
        ],
        k=[3, 5],
        exclude=[[], ["x", "y"]],
    )

    assert inputs["history_item_id"].tolist() == [[b"a", b"b"], [b"c", b""]]
    assert inputs["history_action"].tolist() == [[b"like", b"view"], [b"skip", b""]]
    assert inputs["history_timestamp"].tolist() == [[1_000, 2_000], [3_000, 0]]
    np.testing.assert_array_equal(
        inputs["history_value"], np.array([[np.nan, 0.5], [0.0, np.nan]], np.float32)
    )
    assert inputs["exclude_item_id"].tolist() == [[b"", b""], [b"x", b"y"]]
    assert inputs["k"].tolist() == [3, 5]
    assert {name: str(a.dtype) for name, a in inputs.items()} == {
        "history_item_id": "object",
        "history_action": "object",
        "history_timestamp": "int64",
        "history_value": "float32",
        "exclude_item_id": "object",
        "k": "int32",
    }


def test_user_without_history_gets_one_pad():
    inputs = requests.build_inputs([[]], k=10)

    assert inputs["history_item_id"].tolist() == [[b""]]
    assert math.isnan(inputs["history_value"][0, 0])
    assert inputs["exclude_item_id"].shape == (1, 0)


def test_rows_of_one_exposure_become_one_element():
    # Another item's row lies between the two rows of the exposure.
    merged = requests.merge_exposures(
        [
            Event("a", "view", 1_000, 0.9),
            Event("b", "view", 1_000, 0.1),
            Event("a", "dislike", 1_000),
        ]
    )

    assert merged == [
        Event("a", "dislike|view", 1_000, 0.9),
        Event("b", "view", 1_000, 0.1),
    ]


def test_the_last_value_present_wins_and_action_sets_are_united():
    merged = requests.merge_exposures(
        [Event("a", "view|like", 1_000, 0.2), Event("a", "view", 1_000, 0.7)]
    )

    assert merged == [Event("a", "like|view", 1_000, 0.7)]


@pytest.mark.parametrize(
    ("window_ms", "num_elements"), [(0, 3), (999, 3), (1_000, 2), (2_000, 1)]
)
def test_merge_window_counts_from_the_first_row(window_ms, num_elements):
    # 1 s apart: with a window of 1 s the third row is 2 s after the first.
    rows = [Event("a", "view", second * 1_000) for second in (1, 2, 3)]

    merged = requests.merge_exposures(rows, merge_window_ms=window_ms)

    assert len(merged) == num_elements


def test_same_item_at_another_time_stays_apart():
    rows = [Event("a", "view", 1_000), Event("a", "dislike", 2_000)]

    assert requests.merge_exposures(rows) == rows


def test_the_newest_exposures_are_kept():
    history = [Event(f"i{n}", "view", 1_000 * n) for n in range(1, 6)]

    inputs = requests.build_inputs([history], k=1, max_length=2)

    assert inputs["history_item_id"].tolist() == [[b"i4", b"i5"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"histories": [], "k": 1}, "at least one user"),
        ({"histories": [[]], "k": 0}, "`k` must be at least 1; got 0"),
        ({"histories": [[]], "k": [1, 2]}, "each of the 1 histories; got 2"),
        ({"histories": [[]], "k": 1, "exclude": [[], []]}, "1 rows; got 2"),
        ({"histories": [[]], "k": 1, "exclude": ["abc"]}, "got the text 'abc'"),
        ({"histories": [[]], "k": 1, "max_length": 0}, "`max_length`"),
        ({"histories": [[], [Event("", "view", 1)]], "k": 1}, "event 0 of history 1"),
        ({"histories": [[Event("a", "view", -1)]], "k": 1}, "`timestamp`.*got -1"),
        ({"histories": [[Event("a", "view", 1, 1e39)]], "k": 1}, "`value`.*1e\\+39"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    histories = arguments.pop("histories")
    with pytest.raises(errors.InputError, match=message):
        requests.build_inputs(histories, **arguments)


def test_outputs_are_read_without_padding():
    answers = requests.parse_outputs(
        {
            "item_id": np.array([[b"a", b"\xc3\xa9"], [b"c", b""]], dtype=object),
            "score": np.array([[2.0, 1.5], [0.5, -np.inf]], dtype=np.float32),
        }
    )

    assert answers == [
        [requests.Recommendation("a", 2.0), requests.Recommendation("é", 1.5)],
        [requests.Recommendation("c", 0.5)],
    ]


def test_client_side_imports_no_tensorflow():
    code = (
        "import sys; from serving import requests, client, transports, wire, "
        "history_file; from serving.bundle import catalog, manifest, saved_model; "
        "wire.message_class('PredictRequest'); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "at least one question"),
        ([["a"], []], "in question 1"),
        ([["a", ""]], "no empty one"),
        (["ab"], "`items` must hold lists of item ids; got the text 'ab'"),
    ],
)
def test_a_question_for_like_items_names_some(items, message):
    with pytest.raises(errors.InputError, match=message):
        requests.build_similar_inputs(items, k=3)


def test_questions_for_like_items_are_padded():
    inputs = requests.build_similar_inputs([["a"], ["b", "ç"]], k=[1, 2])
    assert inputs["item_id"].tolist() == [[b"a", b""], [b"b", "ç".encode()]]
    assert inputs["k"].tolist() == [1, 2]
    assert inputs["exclude_item_id"].shape == (2, 0)
