"""What items have in common, in degrees and in words, worked out by hand."""

import pytest

from serving.bundle import audience, catalog
from serving.explorer import likeness


def item(item_id, title, creator_id="", categories=()):
    entry = catalog.Item(
        title.encode(), creator_id.encode(), tuple(c.encode() for c in categories)
    )
    return entry.describe(item_id.encode())


ALIENS = item("1", "Aliens", "cameron", ("Action", "Adventure", "Horror", "Sci-Fi"))
ALIEN = item("2", "Alien", "scott", ("Horror", "Sci-Fi"))
TERMINATOR = item("3", "The Terminator", "cameron", ("Action", "Sci-Fi", "Thriller"))
COMEDY = item("4", "Clueless", "heckerling", ("Comedy",))
BARE = item("5", "Untitled")

AUDIENCES = {
    # Of Alien's 98 users 72 met Aliens, which 100 met: .72 / sqrt(.98 * 1).
    "1": audience.Audience(
        100,
        {"2": audience.Shared(72, 98), "3": audience.Shared(30, 90)},
    ),
    # Aliens is too far down in the list of what Clueless shares, but not the reverse.
    "4": audience.Audience(60, {"1": audience.Shared(6, 100)}),
}
KNOWN = likeness.Resemblance(AUDIENCES)
UNKNOWN = likeness.Resemblance({})


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (
            ALIEN,
            ALIENS,
            "shares most of its audience (72 of 98) with Aliens; "
            "2 of 4 categories in common",
        ),
        (
            TERMINATOR,
            ALIENS,
            "shares much of its audience (30 of 90) with Aliens; same creator; "
            "2 of 4 categories in common",
        ),
        # From the list of the item itself: 6 of the 60 who met it.
        (COMEDY, ALIENS, "shares some of its audience (6 of 60) with Aliens"),
        (ALIENS, COMEDY, "shares some of its audience (6 of 100) with Clueless"),
        (BARE, ALIENS, ""),
        (ALIENS, BARE, ""),
    ],
)
def test_words(one, other, words):
    assert KNOWN.words(one, other) == words


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (
            TERMINATOR,
            ALIENS,
            "same creator as Aliens; 2 of 4 categories in common",
        ),
        (ALIEN, ALIENS, "2 of 4 categories in common with Aliens"),
        (item("9", "Emma", "", ("Comedy",)), COMEDY, "all categories in common with"),
    ],
)
def test_without_audiences_the_catalogue_speaks(one, other, words):
    assert UNKNOWN.words(one, other).startswith(words)


def test_degrees():
    found = KNOWN.of(ALIEN, ALIENS)

    assert found.audience == pytest.approx(72 / (98 * 100) ** 0.5)
    assert found.categories == pytest.approx(2 / 4)
    assert found.creator == 0.0
    assert KNOWN.of(TERMINATOR, ALIENS).categories == pytest.approx(2 / 5)


def test_what_cannot_be_known_is_none_and_not_nothing():
    assert UNKNOWN.of(ALIEN, BARE) == (None, None, None)
    # Who met Aliens is known, and Untitled is not near: that is 0.
    assert KNOWN.of(BARE, ALIENS) == (0.0, 0.0, 0.0)


def test_reason_is_of_what_it_resembles_most():
    assert "with Aliens" in KNOWN.reason(ALIEN, [COMEDY, ALIENS])
    said = KNOWN.reason(ALIEN, [ALIENS], ", which you liked")
    assert said.startswith("shares most of its audience (72 of 98) with Aliens, which")
    assert KNOWN.reason(ALIEN, []) == ""
