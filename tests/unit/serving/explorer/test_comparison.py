import re

import pytest

from serving import requests
from serving.bundle import audience, catalog
from serving.explorer import comparison, likeness, search

LISTED = search.Catalog(
    {
        b"k": catalog.Item(b"Aliens", b"cameron", (b"Action", b"Horror")),
        b"a": catalog.Item(b"Alien", b"scott", (b"Horror",)),
        b"t": catalog.Item(b"The Terminator", b"cameron", (b"Action",)),
        b"c": catalog.Item(b"Clueless", b"heckerling", (b"Comedy",)),
        b"e": catalog.Item(b"Emma", b"mcgrath", (b"Comedy",)),
        b"x": catalog.Item(),
    }
)
AUDIENCES = {"k": audience.Audience(100, {"a": audience.Shared(80, 100)})}
RESEMBLANCE = likeness.Resemblance(AUDIENCES)


def compare(before, after, *history):
    slates = [[requests.Recommendation(i, 1.0) for i in one] for one in (before, after)]
    return comparison.compare(*slates, history, LISTED, RESEMBLANCE)


def reasons(rows):
    return {row["item_id"]: row["reason"] for row in rows}


def test_ranks_of_both_slates():
    answer = compare("at", "tc", ("k", "dislike"))

    assert [(r["item_id"], r["rank"], r["other_rank"]) for r in answer["before"]] == [
        ("a", 1, None),
        ("t", 2, 1),
    ]
    assert [(r["item_id"], r["rank"], r["other_rank"]) for r in answer["after"]] == [
        ("t", 1, 2),
        ("c", 2, None),
    ]


def test_what_fell_says_why_and_what_stayed_says_nothing():
    # Alien falls from 1 to 3, Emma is gone, The Terminator rises, Clueless stays last.
    answer = compare("aetc", "txac", ("k", "dislike"))

    assert reasons(answer["before"]) == {
        "a": "shares most of its audience (80 of 100) with Aliens; "
        "1 of 2 categories in common",
        "e": "nothing known in common with what you disliked: others passed it",
        "t": "",
        "c": "",
    }


def test_what_rose_says_why_or_although_what():
    answer = compare("aetc", "txac", ("k", "dislike"))

    assert reasons(answer["after"]) == {
        "t": "rose although it resembles what you disliked: same creator as Aliens; "
        "1 of 2 categories in common",
        "x": "",  # nothing is known of it
        "a": "",
        "c": "",
    }
    liked = compare("ac", "ca", ("e", "like"))
    assert reasons(liked["after"])["c"] == (
        "all categories in common with Emma, which you liked"
    )


def test_summary_is_graded_and_beside_before():
    """Before: Alien and Clueless; after: The Terminator and Clueless.

    By audience (.8 + 0) / 2, then 0; by categories (1/2 + 0) / 2 in both; by creator
    0 of 2, then 1 of 2.
    """
    answer = compare("ac", "tc", ("k", "dislike"))

    moves, likeness_ = answer["summary"]
    assert moves == (
        "Of the 2 items shown had you said nothing, 1 left and 0 fell; 0 rose and 1 "
        "came in."
    )
    assert likeness_.replace("\u00a0", " ") == (
        "Likeness to Aliens: shared audience 40.0 % \u2192 0.0 %; "
        "shared categories 25.0 % \u2192 25.0 %; same creator 0.0 % \u2192 50.0 %."
    )


@pytest.mark.parametrize("after", ["ce", "ec", "xc"])
def test_it_never_says_that_nothing_became_nothing(after):
    """Slates that share nothing with Aliens: what moved is counted, no 0 to 0."""
    first, second = compare("ce", after, ("k", "dislike"))["summary"]

    assert second == "Neither slate is known to resemble Aliens."
    assert not re.search(r"\b0(\.0)?\s?%? \u2192 0", first + second)


def test_newest_dislikes_have_a_sentence_each():
    marks = [(i, "dislike") for i in ("a", "t", "c", "k", "a")]
    summary = compare("e", "x", *marks)["summary"]

    assert len(summary) == 4
    assert "Alien" in summary[1]
    assert "Aliens" in summary[2]
    assert "Clueless" in summary[3]


def test_without_a_mark_nothing_is_said():
    assert compare("ac", "ac", ("e", ""))["summary"] == []
