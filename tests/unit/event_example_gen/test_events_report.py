"""Counts, and when they refuse a log."""

import pytest

from components.event_example_gen import report
from schema import errors, settings


def test_counts_add_up_at_every_level():
    parts = [
        {"read": 3, "rejected": {"a": 1}},
        {"read": 2, "rejected": {"a": 2, "b": 5}, "labels": {"train": {"x": 1}}},
    ]
    assert report.add_counts(parts) == {
        "read": 5,
        "rejected": {"a": 3, "b": 5},
        "labels": {"train": {"x": 1}},
    }
    assert report.add_counts([]) == {}


def test_adding_changes_no_part():
    part = {"a": {"x": 1}}
    report.add_counts([part, part])
    assert part == {"a": {"x": 1}}


def test_every_key_is_there_without_any_count():
    empty = report.ingestion_report({}, None)
    assert empty["events_rejected"] == {}
    assert empty["examples"] == {"train": 0, "eval": 0, "test": 0}
    assert empty["labels"]["eval"] == {"positive": 0, "negative": 0, "neutral": 0}


def check(read, kept, rejected):
    report.check(read, kept, rejected, 0.05, "log.csv", "/letters")


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


def test_an_empty_training_split():
    empty = report.ingestion_report({}, (5, 6))
    with pytest.raises(errors.InputError, match=r"training split is empty.*\[5, 6\]"):
        report.check_splits(empty, settings.DataSettings(events="log.csv"))
