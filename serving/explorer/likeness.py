"""How much an item resembles another one, in degrees and in people's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from serving.bundle import audience, catalog

_MOST, _MUCH = 0.5, 0.25
"""Shares of an item's audience."""


class Likeness(NamedTuple):
    """How much one item resembles another, [0, 1]; None: it cannot be known."""

    audience: float | None
    """Cosine of who met what; 0: neither is among the nearest of the other."""
    categories: float | None
    """Categories of both divided by those of either."""
    creator: float | None
    """1: the same one."""

    @property
    def strength(self) -> float:
        """Orders what an item resembles most; 0: nothing is known in common."""
        return sum(part or 0.0 for part in self)


class Resemblance:
    """Compares the items of a catalogue."""

    def __init__(self, audiences: Mapping[str, audience.Audience]) -> None:
        """Takes who met what; empty: audiences are not known."""
        self._audiences = audiences

    def of(self, item: catalog.Described, other: catalog.Described) -> Likeness:
        """Returns how much an item resembles another one.

        Args:
          item: what is shown.
          other: what the user said something about.
        """
        categories, others = {*item["categories"]}, {*other["categories"]}
        creator = other["creator_id"]
        return Likeness(
            self._audience(item["item_id"], other["item_id"]),
            len(categories & others) / len(categories | others) if others else None,
            float(item["creator_id"] == creator) if creator else None,
        )

    def _audience(self, item_id: str, other_id: str) -> float | None:
        found = [
            known.likeness(that)
            for this, that in ((other_id, item_id), (item_id, other_id))
            if (known := self._audiences.get(this))
        ]
        return max(found) if found else None

    def words(
        self, item: catalog.Described, other: catalog.Described, said: str = ""
    ) -> str:
        """Returns what they have in common; "": nothing is known.

        Args:
          item: what is shown.
          other: what the user said something about; named once.
          said: follows its title.

        Example:
          >>> alien = {"item_id": "1", "title": "Alien", "creator_id": "scott",
          ...          "categories": ["Horror", "Sci-Fi"]}
          >>> aliens = {"item_id": "2", "title": "Aliens", "creator_id": "cameron",
          ...           "categories": ["Action", "Horror", "Sci-Fi"]}
          >>> Resemblance({}).words(alien, aliens)
          '2 of 3 categories in common with Aliens'
        """
        parts = [
            (self._audience_words(item["item_id"], other["item_id"]), "with"),
            (_creator_words(item, other), "as"),
            (_category_words(item, other), "with"),
        ]
        told = [part for part in parts if part[0]]
        if not told:
            return ""
        (first, joint), *rest = told
        named = f"{first} {joint} {other['title']}{said}"
        return "; ".join([named, *[words for words, _ in rest]])

    def _audience_words(self, item_id: str, other_id: str) -> str:
        """Returns how much of the item's audience met the other one."""
        known, own = self._audiences.get(other_id), self._audiences.get(item_id)
        if known and (shared := known.nearest.get(item_id)):
            both, users = shared.both, shared.users
        elif own and (shared := own.nearest.get(other_id)):
            both, users = shared.both, own.users
        else:
            return ""
        share = both / users
        much = "most" if share >= _MOST else "much" if share >= _MUCH else "some"
        return f"shares {much} of its audience ({both} of {users})"

    def reason(
        self,
        item: catalog.Described,
        others: Sequence[catalog.Described],
        said: str = "",
    ) -> str:
        """Returns the words about what it resembles most of them; "": nothing."""
        best = max(
            others, key=lambda other: self.of(item, other).strength, default=None
        )
        return self.words(item, best, said) if best else ""


def _creator_words(item: catalog.Described, other: catalog.Described) -> str:
    is_same = other["creator_id"] and item["creator_id"] == other["creator_id"]
    return "same creator" if is_same else ""


def _category_words(item: catalog.Described, other: catalog.Described) -> str:
    own, wanted = {*item["categories"]}, {*other["categories"]}
    common = len(own & wanted)
    if not common:
        return ""
    if own == wanted:
        return "all categories in common"
    noun = "category" if len(wanted) == 1 else "categories"
    return f"{common} of {len(wanted)} {noun} in common"
