"""Finds items of the catalogue by their text, for people who look at slates."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import NotRequired

from serving.bundle import catalog


class Shown(catalog.Described):
    """An item as the page shows it."""

    image_url: NotRequired[str]
    """Address of its picture, "" without one; absent: no item has any."""


class Catalog:
    """Items by id, and a search over their text."""

    def __init__(
        self,
        items: Mapping[bytes, catalog.Item],
        posters: Mapping[bytes, str] | None = None,
    ) -> None:
        """Indexes the items; one without a title has its id for one.

        Args:
          items: the catalogue.
          posters: item id to the address of its picture; none: nothing is said of any.
        """
        self._posters = posters or {}
        self._items = {
            item_id.decode(): self._shown(item_id, item)
            for item_id, item in items.items()
        }
        self._texts = [(_text(item), item) for item in self._items.values()]

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: str) -> Shown:
        """Returns an item; one that is not listed has its id for a title."""
        unknown = catalog.Item()
        return self._items.get(item_id) or self._shown(item_id.encode(), unknown)

    def search(self, query: str, limit: int) -> list[Shown]:
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

    def _shown(self, item_id: bytes, item: catalog.Item) -> Shown:
        described = item.describe(item_id)
        shown: Shown = {
            "item_id": described["item_id"],
            "title": described["title"] or described["item_id"],
            "creator_id": described["creator_id"],
            "categories": described["categories"],
        }
        if self._posters:
            shown["image_url"] = self._posters.get(item_id, "")
        return shown


def _text(item: catalog.Described) -> str:
    words = [item["title"], item["item_id"], item["creator_id"], *item["categories"]]
    return " ".join(words).lower()
