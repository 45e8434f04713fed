"""Times of any type and unit as milliseconds."""

import datetime

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
def test_units(column, unit, expected):
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
