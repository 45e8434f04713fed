"""The report of a log, and when it leaves nothing to train on."""

import pytest

from components.event_example_gen import report
from schema import errors, reports, settings


def test_every_key_is_there_without_any_count():
    empty = report.ingestion_report({}, None)
    assert empty.model_fields_set == set(reports.Ingestion.model_fields)
    assert empty.events_rejected == {}
    assert empty.examples == {"train": 0, "eval": 0, "test": 0}
    assert empty.labels["eval"] == {"positive": 0, "negative": 0, "neutral": 0}


def test_an_empty_training_split():
    empty = report.ingestion_report({}, (5, 6))
    with pytest.raises(errors.InputError, match=r"training split is empty.*\[5, 6\]"):
        report.check_splits(empty, settings.DataSettings(events="log.csv"))


def test_a_log_of_judges_alone():
    found = {"examples": {"judge": 3}}
    splits = ("train", "eval", "test", "judge")
    report_of_judges = report.ingestion_report(found, None, splits=splits)

    assert report_of_judges.examples == {"train": 0, "eval": 0, "test": 0, "judge": 3}
    with pytest.raises(errors.InputError, match=r"judges.*judge_share"):
        report.check_splits(report_of_judges, settings.DataSettings(events="log.csv"))
