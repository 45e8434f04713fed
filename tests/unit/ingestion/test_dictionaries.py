"""Columns of text: what is an id, what is missing, what is bad."""

import decimal
import uuid

import numpy as np
import pyarrow as pa
import pytest

from components.ingestion import dictionaries

NAN = float("nan")


def texts(column: pa.Array) -> list:
    result = dictionaries.texts(column)
    values = result.values.to_pylist()
    return [
        None if code < 0 else "bad" if result.bad[code] else values[code]
        for code in result.codes.tolist()
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["a", "", "  ", None, "a b"], ["a", None, None, None, "a b"]),
        ([b"a", b"\xc3\xa9", b"\xff"], ["a", "é", "bad"]),
        ([7, None, 8], ["7", None, "8"]),
        ([7.0, NAN, None, 7.5], ["7", None, None, "bad"]),
        ([["a"], None], ["bad", None]),
        ([True], ["bad"]),
        ([None], [None]),
    ],
)
def test_texts(column, expected):
    assert texts(pa.array(column)) == expected


def test_texts_of_dictionaries_with_nulls_in_several_chunks():
    chunks = [
        pa.array(["a", None, "b"]).dictionary_encode(),
        pa.array(["b", "", "c"]).dictionary_encode(),
    ]
    assert texts(pa.chunked_array(chunks)) == ["a", None, "b", "b", None, "c"]


def test_texts_hold_each_distinct_value_once():
    result = dictionaries.texts(pa.array(["a", "b", "a"]))
    assert result.values.to_pylist() == ["a", "b"]
    assert result.codes.tolist() == [0, 1, 0]


def test_invalid_utf8_that_arrow_was_told_is_text_is_found():
    offsets = pa.array([0, 1, 2], pa.int32()).buffers()[1]
    column = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"a\xff"))
    assert texts(column) == ["a", "bad"]


@pytest.mark.parametrize("scale", [0, 10])
@pytest.mark.parametrize("kind", [pa.decimal128, pa.decimal256])
def test_whole_decimals_are_ids(kind, scale):
    column = pa.array([decimal.Decimal(7), None, decimal.Decimal(-12)], kind(38, scale))
    assert texts(column) == ["7", None, "-12"]


def test_decimals_with_fractions_are_none():
    cells = [decimal.Decimal(cell) for cell in ("7.5", "7.0", "0.1")]
    assert texts(pa.array(cells, pa.decimal128(38, 10))) == ["bad", "7", "bad"]


def test_decimals_of_more_digits_than_64_bits_hold():
    cells = [decimal.Decimal("1" * 38), decimal.Decimal(7)]
    assert texts(pa.array(cells, pa.decimal128(38, 0))) == ["1" * 38, "7"]


def test_half_precision():
    column = pa.array(np.array([7, 7.5, NAN], np.float16))
    assert texts(column) == ["7", "bad", None]


def test_16_bytes_are_a_uuid():
    ids = [
        uuid.UUID(int=n) for n in (0, 2**128 - 1, 0x00112233445566778899AABBCCDDEEFF)
    ]
    cells = [ids[0].bytes, None, ids[1].bytes, ids[2].bytes, ids[0].bytes]
    expected = [str(ids[0]), None, str(ids[1]), str(ids[2]), str(ids[0])]
    column = pa.array(cells, pa.binary(16))
    assert texts(column) == expected
    assert texts(column[1:]) == expected[1:]
    assert texts(column[:0]) == []


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"abc"], pa.binary(3)),
        pa.array([{"a": 1}]),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        pa.array([0], pa.date32()),
        pa.array([0], pa.duration("s")),
    ],
    ids=lambda column: str(column.type),
)
def test_what_is_neither_text_nor_number_is_bad(column):
    assert texts(column) == ["bad"]
