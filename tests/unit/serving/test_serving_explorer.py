import json
import re

import pytest

from schema import errors
from serving import action_names, catalog, explorer, faults, requests

ITEMS = [
    catalog.Item("1", "Heat", "mann", ("Crime", "Drama")),
    catalog.Item("2", "The Heat", "feig", ("Comedy", "Crime")),
    catalog.Item("3", "Thief", "mann", ("Drama", "Crime")),
    catalog.Item("4", "4"),
]
LISTED = catalog.Catalog(ITEMS)


def ids(items):
    return [item.item_id for item in items]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("heat", ["1", "2"]),  # the title that begins with it comes first
        ("HEAT mann", ["1"]),
        # "thief 3 mann drama crime" has "drama" earlier than "heat 1 mann crime drama".
        ("drama crime", ["3", "1"]),
        ("4", ["4"]),
        ("nothing", []),
        ("", ["1", "2", "3", "4"]),
    ],
)
def test_search(query, expected):
    assert ids(LISTED.search(query, 10)) == expected


def test_search_is_limited():
    assert ids(LISTED.search("", 2)) == ["1", "2"]


def test_catalog_file(tmp_path):
    path = tmp_path / "assets.extra" / "catalog.jsonl"
    path.parent.mkdir()
    path.write_text(
        '{"item_id": "a", "title": "A", "creator_id": "c", "categories": ["x"]}\n'
        '{"item_id": "b", "title": null}\n'
    )

    listed = catalog.load(tmp_path)

    assert listed.get("a") == catalog.Item("a", "A", "c", ("x",))
    assert listed.get("b").title == "b"
    assert listed.get("unknown").title == "unknown"

    path.write_text('{"item_id": "a"}\n{"title": "no id"}\n')
    with pytest.raises(errors.InputError, match=r"catalog.jsonl, line 2"):
        catalog.load(tmp_path)


def test_a_model_without_catalog(tmp_path):
    assert len(catalog.load(tmp_path)) == 0


POLICY = {
    "like": {"polarity": "positive", "weight": 1.0},
    "view": {"polarity": "positive", "weight": 0.5},
    "skip": {"polarity": "negative", "weight": 0.1},
    "dislike": {"polarity": "negative", "weight": 1.0},
    "open": {"polarity": "neutral", "weight": 1.0},
}


def test_actions_come_from_the_policy():
    assert action_names.choose(POLICY, "view", 0.8) == action_names.ActionNames(
        "view", 0.8, "like", "dislike"
    )
    # A log of ratings: its control is the like, so a view comes without a value.
    assert action_names.choose(POLICY, "like", 1.0).base_value is None


def test_a_policy_may_lack_marks():
    only = {"play": {"polarity": "positive"}}
    assert action_names.choose(only) == action_names.ActionNames(
        "play", None, None, None
    )


def test_manifest(tmp_path):
    assert action_names.read(tmp_path) == action_names.ActionNames()
    path = tmp_path / "assets.extra" / "manifest.json"
    path.parent.mkdir()
    config = {
        "feedback": {"actions": POLICY},
        "control_action": "view",
        "control_value": 0.5,
    }
    path.write_text(json.dumps({"config": config}))
    assert action_names.read(tmp_path).base_value == 0.5


NAMES = action_names.ActionNames()


def test_branches_differ_in_the_marks_alone():
    history = [("1", ""), ("2", "dislike"), ("3", "like")]

    control, treatment = explorer.build_branches(history, NAMES, 1_000_000)

    assert control == [
        requests.Event("1", "view", 820_000, 1.0),
        requests.Event("2", "view", 880_000, 1.0),
        requests.Event("3", "view", 940_000, 1.0),
    ]
    assert [e.action for e in treatment] == ["view", "dislike|view", "like|view"]
    assert [e._replace(action="") for e in treatment] == [
        e._replace(action="") for e in control
    ]


def test_a_mark_that_the_policy_lacks():
    names = action_names.ActionNames(dislike=None)
    with pytest.raises(faults.RequestError, match="has no dislike"):
        explorer.build_branches([("1", "dislike")], names, 1_000_000)


def test_comparison():
    def slate(*item_ids):
        return [requests.Recommendation(i, 1.0) for i in item_ids]

    # Disliked: "1" by mann, {Crime, Drama}. "3" shares both, "2" neither.
    answer = explorer.compare(
        slate("3", "2"), slate("2", "4"), [("1", "dislike"), ("4", "like")], LISTED
    )

    assert [(r["item_id"], r["rank"], r["other_rank"]) for r in answer["before"]] == [
        ("3", 1, None),
        ("2", 2, 1),
    ]
    assert [(r["item_id"], r["rank"], r["other_rank"]) for r in answer["after"]] == [
        ("2", 1, 2),
        ("4", 2, None),
    ]
    assert answer["similar"] == {"creator": [1, 0], "categories": [1, 0]}


def test_nothing_to_compare_with_is_none():
    # "4" has neither creator nor categories: no claim, rather than 0.
    answer = explorer.compare([], [], [("4", "dislike")], LISTED)
    assert answer["similar"] == {"creator": None, "categories": None}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, '"history" must be a list'),
        ({"history": [{}]}, '"history" 0 needs a non-empty "item_id"'),
        ({"history": [{"item_id": "a", "mark": "love"}]}, "got 'love'"),
        ({"history": [], "k": 0}, r'"k" must be in \[1, 100\]; got 0'),
        ({"history": [{"item_id": "a"}] * 201}, "at most 200"),
    ],
)
def test_bad_questions(body, message):
    with pytest.raises(faults.RequestError, match=message):
        explorer.parse_question(body)


def test_the_page_needs_nothing_from_elsewhere():
    text = explorer.PAGE.read_text(encoding="utf-8")
    without_namespace = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"https?:|//\w+\.|<link[^>]+stylesheet|src=", without_namespace
    )
    assert "innerHTML" not in text
