"""Casting of raw columns: what fits, what is missing, what is bad."""

import decimal

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


def decimals(scale, *cells):
    numbers = [None if cell is None else decimal.Decimal(cell) for cell in cells]
    return pa.array(numbers, pa.decimal128(38, scale))


@pytest.mark.parametrize(
    ("column", "as_integers", "as_floats"),
    [
        (decimals(0, "7", None, "-8"), [7, "missing", -8], [7.0, "missing", -8.0]),
        (decimals(10, "7", "7.5"), [7, "bad"], [7.0, 7.5]),
        # More than a double holds exactly, and more than 64 bits hold.
        (
            decimals(0, "9007199254740993", "9" * 20),
            [2**53 + 1, "bad"],
            [2.0**53, 1e20],
        ),
        (
            pa.array(
                np.array([1.5, 2, np.nan], np.float16), mask=np.array([0, 0, 1], bool)
            ),
            ["bad", 2, "missing"],
            [1.5, 2.0, "missing"],
        ),
    ],
)
def test_decimals_and_half_precision(column, as_integers, as_floats):
    assert found(casting.integers(column)) == as_integers
    assert found(casting.floats(column)) == as_floats


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
