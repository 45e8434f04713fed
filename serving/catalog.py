"""The item catalogue inside a version directory, for people who look at slates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from schema import errors

CATALOG_FILE = Path("assets.extra") / "catalog.jsonl"


class Item(NamedTuple):
    """What a person wants to see of an item.

    Attributes:
      item_id: The item.
      title: Its title; the id where it has none.
      creator_id: Its creator; empty where unknown.
      categories: Its categories.
    """

    item_id: str
    title: str
    creator_id: str = ""
    categories: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the item as a JSON object."""
        return {**self._asdict(), "categories": list(self.categories)}


class Catalog:
    """Items by id, and a search over their text."""

    def __init__(self, items: list[Item]) -> None:
        """Indexes items; the first of equal ids wins."""
        self._items: dict[str, Item] = {}
        for item in items:
            self._items.setdefault(item.item_id, item)
        self._texts = [
            (" ".join([i.title, i.item_id, i.creator_id, *i.categories]).lower(), i)
            for i in self._items.values()
        ]

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: str) -> Item:
        """Returns an item; one that is not listed has its id for a title."""
        return self._items.get(item_id) or Item(item_id, item_id)

    def search(self, query: str, limit: int) -> list[Item]:
        """Returns items whose text holds every word of the query.

        Items whose title begins with the query come first, then those with the first
        word early in their text; ties keep the order of the catalogue.
        """
        words = query.lower().split()
        if not words:
            return [item for _, item in self._texts[:limit]]
        found = []
        for order, (text, item) in enumerate(self._texts):
            if all(word in text for word in words):
                prefix = not text.startswith(" ".join(words))
                found.append((prefix, text.find(words[0]), order, item))
        return [item for *_, item in sorted(found)[:limit]]


def load(version_dir: str | Path) -> Catalog:
    """Returns the catalogue of a version; an empty one where it has no file.

    Raises:
      InputError: A line of the file is not an item.
    """
    path = Path(version_dir) / CATALOG_FILE
    if not path.is_file():
        return Catalog([])
    items = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                items.append(_parse(line, f"{path}, line {number}"))
    return Catalog(items)


def _parse(line: str, place: str) -> Item:
    try:
        row = json.loads(line)
        item_id = row["item_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise errors.InputError(
            f"{place}: expected a JSON object with `item_id`; got {line.strip()[:60]!r}"
        ) from error
    return Item(
        item_id=item_id,
        title=row.get("title") or item_id,
        creator_id=row.get("creator_id") or "",
        categories=tuple(row.get("categories") or ()),
    )
