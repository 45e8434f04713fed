"""Finds items of the catalogue by their text, for people who look at slates."""

from __future__ import annotations

from collections.abc import Mapping

from serving.bundle import catalog


class Catalog:
    """Items by id, and a search over their text."""

    def __init__(self, items: Mapping[bytes, catalog.Item]) -> None:
        """Indexes the items; one without a title has its id for one."""
        described = [item.describe(item_id) for item_id, item in items.items()]
        self._items = {one["item_id"]: _titled(one) for one in described}
        self._texts = [(_text(item), item) for item in self._items.values()]

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: str) -> catalog.Described:
        """Returns an item; one that is not listed has its id for a title."""
        unknown = catalog.Item().describe(item_id.encode())
        return self._items.get(item_id) or _titled(unknown)

    def search(self, query: str, limit: int) -> list[catalog.Described]:
        """Returns items whose text holds every word of the query.

        Items whose title begins with the query come first, then those with the first
        word early in their text; ties keep the order of the catalogue.
        """
        words = query.lower().split()
        if not words:
            return [item for _, item in self._texts[:limit]]
        found = []
        for order, (text, _) in enumerate(self._texts):
            if all(word in text for word in words):
                prefix = not text.startswith(" ".join(words))
                found.append((prefix, text.find(words[0]), order))
        return [self._texts[order][1] for *_, order in sorted(found)[:limit]]


def _titled(item: catalog.Described) -> catalog.Described:
    return {**item, "title": item["title"] or item["item_id"]}


def _text(item: catalog.Described) -> str:
    words = [item["title"], item["item_id"], item["creator_id"], *item["categories"]]
    return " ".join(words).lower()
