"""Casting of raw columns: what fits, what is missing, what is bad."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from components.ingestion import casting

NAN = float("nan")


def found(numbers: casting.Numbers) -> list:
    """Returns a number, "missing" or "bad" per row."""
    return [
        "missing" if missing else "bad" if bad else value
        for value, missing, bad in zip(
            numbers.values.tolist(), numbers.missing, numbers.bad, strict=True
        )
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["12", " 7 ", "3.0", "-4"], [12, 7, 3, -4]),
        (["1.5", "x", "", None], ["bad", "bad", "missing", "missing"]),
        (["9223372036854775807", "9223372036854775808"], [2**63 - 1, "bad"]),
        (["12", "1e3", "inf"], [12, 1000, "bad"]),
        ([b"5", b"\xff"], [5, "bad"]),
        ([1, None], [1, "missing"]),
        ([2.0, 2.5, 1e300], [2, "bad", "bad"]),
        ([True], ["bad"]),
        ([None], ["missing"]),
    ],
)
def test_integers(column, expected):
    assert found(casting.integers(pa.array(column))) == expected


def test_integers_above_the_signed_range_are_bad():
    column = pa.array([2**63, 5], pa.uint64())
    assert found(casting.integers(column)) == ["bad", 5]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["1", "2.5", ".5", "1e3"], [1.0, 2.5, 0.5, 1000.0]),
        (["x", "", None, " 3 "], ["bad", "missing", "missing", 3.0]),
        ([1, None], [1.0, "missing"]),
        ([False], ["bad"]),
        ([[1.0]], ["bad"]),
    ],
)
def test_floats(column, expected):
    assert found(casting.floats(pa.array(column))) == expected


def test_floats_keep_what_is_not_finite_for_the_caller_to_name():
    values = casting.floats(pa.array(["nan", "-inf"])).values
    assert np.isnan(values[0])
    assert values[1] == -np.inf


def texts(column: pa.Array) -> list:
    result = casting.texts(column)
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
    result = casting.texts(pa.array(["a", "b", "a"]))
    assert result.values.to_pylist() == ["a", "b"]
    assert result.codes.tolist() == [0, 1, 0]


def test_invalid_utf8_that_arrow_was_told_is_text_is_found():
    offsets = pa.array([0, 1, 2], pa.int32()).buffers()[1]
    column = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"a\xff"))
    assert texts(column) == ["a", "bad"]


def test_whether_a_cell_fits_does_not_depend_on_its_neighbours():
    cells = ["1", "x", "3", "", "5.0", "99999999999999999999", "7"] * 30
    alone = [found(casting.integers(pa.array([cell])))[0] for cell in cells]
    assert found(casting.integers(pa.array(cells))) == alone


def test_empty_cells_do_not_send_a_column_to_the_slow_cast(monkeypatch):
    monkeypatch.setattr(casting, "_cast_by_halves", None)
    assert found(casting.floats(pa.array(["1", "", "2"]))) == [1.0, "missing", 2.0]
    assert found(casting.integers(pa.array(["1", "", "2"]))) == [1, "missing", 2]


def test_many_alike_bad_cells_are_cast_once(monkeypatch):
    cast = []
    by_halves = casting._cast_by_halves

    def counting(array, kind):
        cast.append(len(array))
        return by_halves(array, kind)

    monkeypatch.setattr(casting, "_cast_by_halves", counting)
    cells = [str(n) for n in range(1_000)] + ["NULL"] * 1_000
    assert casting.floats(pa.array(cells)).bad.sum() == 1_000
    assert len(cast) < 50


@pytest.mark.parametrize(
    ("column", "unit", "expected"),
    [
        (["1260759144"], "s", [1_260_759_144_000]),
        (["1260759144.1236"], "s", [1_260_759_144_124]),
        (["1260759144.0", "12"], "s", [1_260_759_144_000, 12_000]),
        ([1_260_759_144], "s", [1_260_759_144_000]),
        ([1_260_759_144.25], "s", [1_260_759_144_250]),
        ([5], "ms", [5]),
        ([1_999], "us", [1]),
        ([-1], "us", [-1]),
        ([1_999_999], "ns", [1]),
        (["1e12"], "ms", [10**12]),
    ],
)
def test_units_of_time(column, unit, expected):
    times = casting.milliseconds(pa.array(column), unit)
    assert times.values.tolist() == expected
    assert not times.bad.any()
    assert not times.missing.any()


def test_a_typed_time_brings_its_own_unit():
    moment = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    expected = int(moment.timestamp() * 1000)
    for unit in ("s", "ms", "us", "ns"):
        for zone in (None, "UTC", "Asia/Tokyo"):
            naive = moment if zone else moment.replace(tzinfo=None)
            column = pa.array([naive, None], pa.timestamp(unit, zone))
            times = casting.milliseconds(column, "s")
            assert times.values[0] == expected
            assert times.missing.tolist() == [False, True]


def test_a_date_is_its_midnight():
    column = pa.array([datetime.date(1970, 1, 2)])
    assert casting.milliseconds(column, "s").values.tolist() == [86_400_000]


@pytest.mark.parametrize("column", [["x", ""], [b"\xff", None], [float("inf"), NAN]])
def test_the_first_is_bad_and_the_second_missing(column):
    times = casting.milliseconds(pa.array(column), "ms")
    assert times.bad.tolist() == [True, False]
    assert times.missing.tolist() == [False, True]


def test_seconds_too_large_for_milliseconds_do_not_wrap_around():
    largest = 2**63 - 1
    assert casting.milliseconds(pa.array([largest]), "s").values[0] > 10**17
