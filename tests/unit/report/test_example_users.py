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


def test_likeness_is_graded_and_beside_before():
    """By audience .6 / 3, then .3 / 3; by categories 2.4 / 3, then 1.4 / 3."""
    (example,) = built()

    # The disliked item is Drama and Comedy.
    assert [i.alike for i in example.before] == [
        "nearest by audience, same categories",
        "nearest by audience, same categories",
        "1 of 2 categories",
    ]
    assert [i.alike for i in example.after][-1] == ""
    assert example.finding.text.replace("\u00a0", " ") == (
        "1 of 3 recommendations went. "
        "Likeness to it: shared audience 20.0 % to 10.0 %; "
        "shared categories 80.0 % to 46.7 %."
    )
    assert example.finding.judgement == "good"
    assert example.before_title == "Next had the user not met it"


@pytest.mark.parametrize(
    ("after", "judgement"),
    [
        ({"audience": 0.2, "category_overlap": 0.2}, "bad"),
        ({"audience": 0.05, "category_overlap": 0.2}, "neutral"),
        ({"audience": 0.05, "category_overlap": 0.1}, "good"),
        ({"audience": 0.1, "category_overlap": 0.1}, "neutral"),
    ],
)
def test_what_rises_by_one_and_falls_by_another_is_neither(after, judgement):
    slate = {
        "before": [
            {
                **report_run.item("b"),
                "likeness": {"audience": 0.1, "category_overlap": 0.1},
            }
        ],
        "after": [{**report_run.item("c"), "likeness": after}],
    }
    example = {"action": "dislike", "item": report_run.item("a"), **slate}
    (found,) = built({"examples": [example]})
    assert found.finding.judgement == judgement


def test_slates_that_resemble_nothing_are_not_told_as_none_to_none():
    slates = {"before": [report_run.item("b")], "after": [report_run.item("c")]}
    example = {"action": "dislike", "item": report_run.item("a"), **slates}
    (found,) = built({"examples": [example]})

    assert found.finding.text == (
        "1 of 1 recommendations went. Neither slate is known to resemble the item."
    )
    # A report of before: its slates were compared with the control.
    assert found.before_title == "Next without it"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (report_run.item("a"), report_run.item("b"), ""),
        (report_run.item("a", "X", creator="c"), report_run.item("b", creator="c"),
         "same creator"),
        (report_run.item("a", "X", creator="c"), report_run.item("b", "X", creator="c"),
         "same creator, same categories"),
        (report_run.item("a", "X", "Y"), report_run.item("b", "X"), "1 of 1 category"),
        (report_run.item("a", "X"), report_run.item("b", "X", "Y"),
         "1 of 2 categories"),
    ],
)  # fmt: skip
def test_what_is_in_common(one, other, expected):
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
