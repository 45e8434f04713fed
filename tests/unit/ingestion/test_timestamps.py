"""Times of every kind as milliseconds UTC."""

import datetime
import decimal

import pyarrow as pa
import pytest

from components.ingestion import timestamps

NAN = float("nan")


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
    times = timestamps.milliseconds(pa.array(column), unit)
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
            times = timestamps.milliseconds(column, "s")
            assert times.values[0] == expected
            assert times.missing.tolist() == [False, True]


def test_a_date_is_its_midnight():
    column = pa.array([datetime.date(1970, 1, 2)])
    assert timestamps.milliseconds(column, "s").values.tolist() == [86_400_000]


@pytest.mark.parametrize("column", [["x", ""], [b"\xff", None], [float("inf"), NAN]])
def test_the_first_is_bad_and_the_second_missing(column):
    times = timestamps.milliseconds(pa.array(column), "ms")
    assert times.bad.tolist() == [True, False]
    assert times.missing.tolist() == [False, True]


def test_seconds_too_large_for_milliseconds_do_not_wrap_around():
    largest = 2**63 - 1
    assert timestamps.milliseconds(pa.array([largest]), "s").values[0] > 10**17


def test_decimals_in_a_unit():
    cells = [decimal.Decimal("1260759144"), decimal.Decimal("1260759144.25"), None]
    times = timestamps.milliseconds(pa.array(cells, pa.decimal128(38, 10)), "s")
    assert times.values.tolist()[:2] == [1_260_759_144_000, 1_260_759_144_250]
    assert times.missing.tolist() == [False, False, True]


NOON = 1_709_208_000_000  # 2024-02-29T12:00:00Z, by `date --date=... +%s`
ISO_CELLS = {
    "2024-02-29T12:00:00Z": NOON,
    "2024-02-29 12:00:00": NOON,
    "2024-02-29T12:00": NOON,
    "2024-02-29T13:30:00+01:30": NOON,
    "2024-02-29T07:00:00-0500": NOON,
    "2024-02-29T14:00:00+02": NOON,
    " 2024-02-29T12:00:00Z ": NOON,
    "2024-02-29T12:00:00.5": NOON + 500,
    "2024-02-29T12:00:00.123Z": NOON + 123,
    "2024-02-29T12:00:00.1239Z": NOON + 123,
    "2024-02-29T12:00:00.123456789+00:00": NOON + 123,
    "2024-02-29T12:00:00,25": NOON + 250,
    "2024-02-29": NOON - 43_200_000,
    "1969-12-31T23:59:59.9999Z": -1,
    "2024-02-30": "bad",
    "2024-02-29T25:00:00Z": "bad",
    "29.02.2024": "bad",
    "1709208000": "bad",
    "x": "bad",
    "": "missing",
    None: "missing",
}


def iso(cells):
    kind = pa.binary() if isinstance(cells[0], bytes) else pa.string()
    times = timestamps.milliseconds(pa.array(cells, kind), "iso8601")
    return [
        "missing" if missing else "bad" if bad else value
        for value, missing, bad in zip(
            times.values.tolist(), times.missing, times.bad, strict=True
        )
    ]


@pytest.mark.parametrize("cell", ISO_CELLS)
def test_iso_8601_alone(cell):
    assert iso([cell]) == [ISO_CELLS[cell]]


def test_iso_8601_beside_each_other():
    assert iso(list(ISO_CELLS)) == list(ISO_CELLS.values())
    as_bytes = [cell and cell.encode() for cell in ISO_CELLS]
    assert iso(as_bytes) == list(ISO_CELLS.values())


def test_iso_8601_is_cast_at_once(monkeypatch):
    monkeypatch.setattr(timestamps.casting, "_cast_by_halves", None)
    assert iso(["2024-02-29T12:00:00.1234Z", "2024-02-29"])[0] == NOON + 123


def test_numbers_are_no_iso_8601_but_typed_times_are_times():
    assert timestamps.milliseconds(pa.array([1709208000]), "iso8601").bad.all()
    column = pa.array([NOON], pa.timestamp("ms"))
    assert timestamps.milliseconds(column, "iso8601").values.tolist() == [NOON]
