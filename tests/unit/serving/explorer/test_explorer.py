import json
import re

import pytest

from serving import requests
from serving.bundle import catalog, faults
from serving.explorer import action_names, page, posters, search

LISTED = search.Catalog(
    {
        b"1": catalog.Item(b"Heat", b"mann", (b"Crime", b"Drama")),
        b"2": catalog.Item(b"The Heat", b"feig", (b"Comedy", b"Crime")),
        b"3": catalog.Item(b"Thief", b"mann", (b"Drama", b"Crime")),
        b"4": catalog.Item(),
    }
)


def ids(items):
    return [item["item_id"] for item in items]


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


def test_an_item_without_title_or_entry_has_its_id_for_one():
    assert LISTED.get("1")["title"] == "Heat"
    assert LISTED.get("4")["title"] == "4"
    assert LISTED.get("unknown") == {
        "item_id": "unknown",
        "title": "unknown",
        "creator_id": "",
        "categories": [],
    }


def test_pictures_come_from_where_the_catalogue_says(caplog):
    pictured = {
        b"1": catalog.Item(b"Heat", image_url=b"https://a.example/1.jpg"),
        b"2": catalog.Item(b"Thief", image_url=b"http://B.example:80/2.jpg"),
        b"3": catalog.Item(b"Evil", image_url=b"javascript:alert(1)"),
        b"4": catalog.Item(b"Bare"),
    }
    shown = posters.addresses(pictured)
    assert shown == {
        b"1": "https://a.example/1.jpg",
        b"2": "http://B.example:80/2.jpg",
    }
    assert "1 of 4 items have an `image_url` that is no http(s) address" in caplog.text
    listed = search.Catalog(pictured, shown)
    assert listed.get("1")["image_url"] == "https://a.example/1.jpg"
    assert listed.get("3")["image_url"] == listed.get("unknown")["image_url"] == ""
    assert posters.sources(shown.values()) == [
        "http://b.example:80",
        "https://a.example",
    ]


def test_many_places_of_pictures_are_told_by_their_scheme():
    ten = [f"https://{n}.example/1.jpg" for n in range(10)]
    assert len(posters.sources(ten)) == 10
    more = [*ten, "http://x.example/1.jpg"]
    assert posters.sources(more) == ["http:", "https:"]


def test_a_catalogue_without_pictures_says_nothing_of_them():
    assert posters.addresses({b"1": catalog.Item(b"Heat")}) == {}
    assert posters.sources([]) == []
    assert "image_url" not in LISTED.get("1")


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


def test_before_likes_are_watched_and_dislikes_are_not_met():
    history = [("1", ""), ("2", "dislike"), ("3", "like")]

    before, after = page.build_branches(history, NAMES, 1_000_000)

    assert before == [
        requests.Event("1", "view", 820_000, 1.0),
        requests.Event("3", "view", 940_000, 1.0),
    ]
    assert after == [
        requests.Event("1", "view", 820_000, 1.0),
        requests.Event("2", "dislike|view", 880_000, 1.0),
        requests.Event("3", "like|view", 940_000, 1.0),
    ]


def test_a_mark_that_the_policy_lacks():
    names = action_names.ActionNames(dislike=None)
    with pytest.raises(faults.RequestError, match="has no dislike"):
        page.build_branches([("1", "dislike")], names, 1_000_000)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, '"history" must be a list'),
        ({"history": [{}]}, '"history" 0 needs a non-empty "item_id"'),
        ({"history": [{"item_id": "a", "mark": "love"}]}, "got 'love'"),
        ({"history": [], "k": 0}, r'"k" must be in \[1, 100\]; got 0'),
        ({"history": [{"item_id": "a"}] * 201}, "at most 200"),
        (
            {"history": [], "user_control": 2.5},
            r"must be a number in \[0, 2\]; got 2.5",
        ),
        ({"history": [], "user_control": float("nan")}, "got nan"),
        ({"history": [], "user_control": -1}, "got -1"),
        ({"history": [], "user_control": True}, "got True"),
        ({"history": [], "user_control": "1"}, "got '1'"),
        ({"history": [], "is_example": 1}, "must be true or false; got 1"),
    ],
)
def test_bad_questions(body, message):
    with pytest.raises(faults.RequestError, match=message):
        page.parse_question(body)


def test_question_has_defaults():
    asked = page.parse_question({"history": [{"item_id": "a", "mark": "like"}]})

    assert asked == page.Question([("a", "like")], k=20, user_control=1.0)


def test_the_page_needs_nothing_from_elsewhere():
    text = page.PAGE.read_text(encoding="utf-8")
    without_namespace = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"https?:|//\w+\.|<link[^>]+stylesheet|src=", without_namespace
    )
    assert "innerHTML" not in text


def test_a_picture_has_a_name_and_a_place_and_tells_nobody_who_looks():
    text = page.PAGE.read_text(encoding="utf-8")
    picture = text[text.index('element("img"') :]
    attributes = picture[: picture.index("});")]
    for wanted in (
        'alt: "Poster of " + item.title',
        'width: "40"',
        'height: "60"',
        'loading: "lazy"',
        'referrerpolicy: "no-referrer"',
    ):
        assert wanted in attributes
