import pytest

from pipeline.report.sections import example_users
from schema import reports
from tests.unit.report import report_run


def built(content=report_run.RESPONSIVENESS):
    return example_users.build(reports.Responsiveness.model_validate(content))


def test_what_went_and_what_came_is_marked():
    (example,) = built()
    assert [(i.item_id, i.change) for i in example.before] == [
        ("b", ""),
        ("c", "went"),
        ("d", ""),
    ]
    assert [(i.item_id, i.change) for i in example.after] == [
        ("d", ""),
        ("b", ""),
        ("e", "came"),
    ]


def test_likeness_is_an_identical_set_of_categories():
    (example,) = built()
    # The disliked item is Drama and Comedy.
    assert [bool(i.alike) for i in example.before] == [True, True, False]
    assert [bool(i.alike) for i in example.after] == [False, True, False]
    assert example.finding.text == (
        "1 of 3 recommendations went. Those like the disliked item fell from 2 to 1."
    )
    assert example.finding.judgement == "good"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (report_run.item("a"), report_run.item("b"), ""),
        (report_run.item("a", "X", creator="c"), report_run.item("b", creator="c"),
         "same creator"),
        (report_run.item("a", "X", creator="c"), report_run.item("b", "X", creator="c"),
         "same categories, same creator"),
        (report_run.item("a", "X", "Y"), report_run.item("b", "X"), ""),
    ],
)  # fmt: skip
def test_nothing_in_common_is_no_likeness(one, other, expected):
    found = example_users.in_common(reports.Item(**one), reports.Item(**other))
    assert found == expected


def test_titles_actions_and_details():
    (example,) = built()
    assert example.history[0].title == "Title of x"
    assert example.history[0].action == "like + view"
    assert example.disliked.detail == "Drama, Comedy"
    untitled = report_run.altered(
        report_run.RESPONSIVENESS, "examples", 0, "item", "title", to=""
    )
    assert built(untitled)[0].disliked.title == "a"


def test_no_report_no_examples():
    assert example_users.build(None) == ()
