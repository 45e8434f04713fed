"""Counts, and when they refuse a source."""

import pytest

from components.ingestion import counts
from schema import errors


def test_counts_add_up_at_every_level():
    parts = [
        {"read": 3, "rejected": {"a": 1}},
        {"read": 2, "rejected": {"a": 2, "b": 5}, "labels": {"train": {"x": 1}}},
    ]
    assert counts.add(parts) == {
        "read": 5,
        "rejected": {"a": 3, "b": 5},
        "labels": {"train": {"x": 1}},
    }
    assert counts.add([]) == {}


def test_adding_changes_no_part():
    part = {"a": {"x": 1}}
    counts.add([part, part])
    assert part == {"a": {"x": 1}}


def check(read, kept, rejected, repeated=0):
    counts.check(read, kept, repeated, rejected, 0.05, "log.csv", "/letters")


def test_the_share_itself_is_allowed():
    check(100, 95, {"bad_json": 5})


def test_above_the_share_the_reasons_are_named_most_frequent_first():
    message = r"6 of 100 .*\(unknown_action 4, bad_json 2\).*0\.05.*/letters"
    with pytest.raises(errors.InputError, match=message):
        check(100, 94, {"bad_json": 2, "unknown_action": 4})


def test_no_usable_row():
    with pytest.raises(errors.InputError, match="no usable row: 0 read"):
        check(0, 0, {})
    with pytest.raises(errors.InputError, match="bad_json 1"):
        check(1, 0, {"bad_json": 1})


def test_repeated_rows_are_accounted_for():
    check(10, 7, {}, repeated=3)


def test_rows_that_nobody_counted():
    with pytest.raises(RuntimeError, match="10 read, but only 9"):
        check(10, 6, {"bad_json": 1}, repeated=2)
