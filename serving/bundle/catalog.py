"""The catalogue inside a served model: `assets.extra/catalog.jsonl`."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

from schema import errors, files

CATALOG_FILE = os.path.join("assets.extra", "catalog.jsonl")


class Described(TypedDict):
    """One item as JSON, for people and files; "" and [] where nothing is known."""

    item_id: str
    title: str
    creator_id: str
    categories: list[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue; the defaults are those of an item of the log alone."""

    title: bytes = b""
    creator_id: bytes = b""
    categories: tuple[bytes, ...] = ()
    image_url: bytes = b""
    """Address of a picture, of the catalogue's making: see `schema.image_urls`."""
    is_withdrawn: bool = False
    """Never to be recommended again; histories may hold it."""
    is_lost: bool = False
    """Withdrawn because a newer catalogue lacks it, and nobody said that it is gone."""

    def describe(self, item_id: bytes) -> Described:
        """Returns the item with text for bytes."""
        return {
            "item_id": item_id.decode(),
            "title": self.title.decode(),
            "creator_id": self.creator_id.decode(),
            "categories": [category.decode() for category in self.categories],
        }


def read(directory: str | Path) -> dict[bytes, Item]:
    """Returns the items by id; see `read_one_by_one`."""
    return dict(read_one_by_one(directory))


def read_one_by_one(directory: str | Path) -> Iterator[tuple[bytes, Item]]:
    """Yields the items by id, in the file's order; none where there is no file.

    Args:
      directory: Of the SavedModel.

    Raises:
      InputError: A line of the file is not an item.
    """
    path = os.path.join(directory, CATALOG_FILE)
    try:
        content = files.read_bytes(path)
    except FileNotFoundError:
        return
    for number, line in enumerate(content.splitlines(), start=1):
        yield _parse(line, f"{path}, line {number}")


def _parse(line: bytes, place: str) -> tuple[bytes, Item]:
    try:
        row = json.loads(line)
        return row["item_id"].encode(), Item(
            title=(row.get("title") or "").encode(),
            creator_id=(row.get("creator_id") or "").encode(),
            categories=tuple(c.encode() for c in row.get("categories") or ()),
            image_url=(row.get("image_url") or "").encode(),
            is_withdrawn=row.get("withdrawn", False),
            is_lost=row.get("lost", False),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.InputError(
            f"{place}: expected a JSON object with `item_id`; got "
            f"{line.decode(errors='replace')[:60]!r}"
        ) from error


def lines(items: Mapping[bytes, Item], candidates: Iterable[bytes]) -> list[str]:
    """Returns one JSON line an item, sorted by id; log-only items have no features."""
    together = {**dict.fromkeys(candidates, Item()), **items}
    return [_line(item, together[item]) for item in sorted(together)]


def _line(item_id: bytes, item: Item) -> str:
    further = {
        "image_url": item.image_url.decode(),
        "withdrawn": item.is_withdrawn,
        "lost": item.is_lost,
    }
    # What an item has not stays out: most catalogues have neither.
    told = {name: value for name, value in further.items() if value}
    return json.dumps({**item.describe(item_id), **told}, ensure_ascii=False) + "\n"


def write(directory: str, content: Iterable[str]) -> None:
    """Writes the catalogue of an exported model; `content` is that of `lines`."""
    path = os.path.join(directory, CATALOG_FILE)
    files.write_atomically(path, (line.encode() for line in content))
