"""The wire format against the published example, and against tfx_bsl's C++ coder."""

import numpy as np
import pyarrow as pa
import pytest
from tfx_bsl.coders import example_coder

from components.ingestion import tf_example


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (150, "9601"), (300, "ac02")],
)
def test_varint(number, expected):
    # 150 and 300 are the examples of the format's documentation.
    assert tf_example.varint(number).hex() == expected
    payload = tf_example.varints(np.array([number]))
    assert bytes(payload.data).hex() == expected


@pytest.mark.parametrize(
    "numbers",
    [
        [0, 1, 127, 128, 2**41, -1, 2**63 - 1, -(2**63)],
        [2**36, 2**41, 2**42 - 1],  # all of six bytes
        [0, 1],
        [128, 129],
    ],
)
def test_integers_come_back(numbers):
    payload = tf_example.varints(np.array(numbers, np.int64))
    index = np.arange(len(numbers))
    for begin, end in ((index[:1], index[-1:] + 1), (index[1:2], index[-1:] + 1)):
        (data,) = payload.slices(begin, end)
        example = tf_example.example([tf_example.entry("x", tf_example.INT64, data)])
        found = example_coder.ExampleToNumpyDict(example)
        assert found["x"].tolist() == numbers[begin[0] :]


def test_texts_come_back():
    values = ["a", "", "é" * 70, "x" * 20_000, "b"]
    codes = np.array([4, 0, 2, 3, 1, 4])
    payload = tf_example.texts(pa.array(values), codes)
    (data,) = payload.slices(np.array([1]), np.array([6]))
    example = tf_example.example(
        [tf_example.entry("name" * 40, tf_example.BYTES, data)]
    )
    found = example_coder.ExampleToNumpyDict(example)["name" * 40]
    assert [text.decode() for text in found] == [values[c] for c in codes[1:]]


def test_an_example_equals_the_coders():
    floats = np.array([0.5, -2.0], "<f4")
    names = tf_example.texts(pa.array(["a", "b"]))
    (both,) = names.slices(np.array([0]), np.array([2]))
    entries = [
        tf_example.entry("f", tf_example.FLOAT, floats.tobytes()),
        tf_example.entry("n", tf_example.BYTES, both),
        tf_example.entry("none", tf_example.BYTES, b""),
        tf_example.entry("zero", tf_example.INT64, b""),
    ]
    example = tf_example.example(entries)
    batch = example_coder.ExamplesToRecordBatchDecoder().DecodeBatch([example])
    assert batch.to_pydict() == {
        "f": [[0.5, -2.0]],
        "n": [[b"a", b"b"]],
        "none": [[]],
        "zero": [[]],
    }


def test_slices_of_one_width():
    payload = tf_example.Payload(b"aabbcc", 2)
    assert payload.slices(np.array([0, 2]), np.array([1, 3])) == [b"aa", b"cc"]
