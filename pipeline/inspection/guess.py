"""Guesses a mapping from the names and the first cells of columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from components.ingestion import casting, column_types, dictionaries, timestamps

EVENT_NAMES: dict[str, tuple[str, ...]] = {
    "user_id": ("userid", "user", "uid", "visitorid", "customerid", "memberid"),
    "item_id": (
        *("itemid", "item", "iid", "movieid", "videoid", "productid", "articleid"),
        *(
            "newsid",
            "trackid",
            "songid",
            "bookid",
            "contentid",
            "postid",
            "asin",
            "sku",
        ),
    ),
    "timestamp": (
        *("timestamp", "time", "ts", "timems", "datetime", "eventtime", "date"),
        *("eventtimestamp", "unixtime", "createdat", "occurredat"),
    ),
    "action": ("action", "event", "eventtype", "interaction", "behavior", "type"),
    "value": ("value", "watchratio", "dwelltime", "watchtime", "playduration"),
    "sequence": ("sequence", "sequencenumber", "seq"),
}
ITEM_NAMES: dict[str, tuple[str, ...]] = {
    "item_id": (*EVENT_NAMES["item_id"], "id"),
    "creator_id": (
        *("creatorid", "creator", "authorid", "author", "artistid", "artist"),
        *("director", "channelid", "channel", "sellerid", "publisher", "brand"),
    ),
    "categories": (
        *("genresname", "categoriesname", "tagsname"),
        *("categories", "category", "genres", "genre", "tags", "topics"),
    ),
    "title": ("title", "name", "headline", "itemname"),
    "image_url": ("imageurl", "posterurl", "coverurl", "thumbnailurl", "pictureurl"),
    "created_at": (
        "createdat",
        "releasedate",
        "publishedat",
        "published",
        "uploadtime",
    ),
    "withdrawn": ("withdrawn", "deleted", "isdeleted"),
}
RATINGS = ("rating", "stars", "score", "overall")
"""Columns of which rules make actions."""
_YEARS = (1995, 2100)
_SEC_PER_YEAR = 31_556_952
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MISSING = {
    "null",
    "none",
    "nan",
    "n/a",
    "na",
    "nil",
    "undefined",
    "unknown",
    "\\n",
    "-",
}
_WRITTEN_LIST = re.compile(r"\[\s*['\"].*['\"]\s*\]|\[\s*\]")


def columns(names: Sequence[str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Returns the column of each canonical field that a name gives away.

    Args:
      names: of the columns.
      known: canonical field to names in lower case without punctuation, best first.

    Example:
      >>> columns(["movieId", "userId"], EVENT_NAMES)
      {'user_id': 'userId', 'item_id': 'movieId'}
    """
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(names)}
    found: dict[str, str] = {}
    for field, candidates in known.items():
        match = [plain[name] for name in candidates if name in plain]
        free = [name for name in match if name not in found.values()]
        if free:
            found[field] = free[0]
    return found


def time_unit(cells: pa.ChunkedArray) -> str:
    """Returns the unit in which times are most likely written, "" if none fits."""
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        return ""
    numbers = casting.floats(cells)
    good = numbers.values[~(numbers.missing | numbers.bad)]
    good = good[np.isfinite(good)]
    if len(good):
        middle = float(np.median(good))
        for unit, units_per_sec in _UNITS.items():
            year = 1970 + middle / units_per_sec / _SEC_PER_YEAR
            if _YEARS[0] <= year < _YEARS[1]:
                return unit
        return ""
    times = timestamps.milliseconds(cells, timestamps.ISO_8601)
    good_share = 1 - (times.bad | times.missing).mean() if len(times.bad) else 0.0
    return timestamps.ISO_8601 if good_share > 0.5 else ""


def missing_words(cells: pa.ChunkedArray) -> list[str]:
    """Returns texts among the cells that look as if they meant "no value"."""
    if not column_types.fits(cells.type, column_types.TEXT):
        return []
    texts = dictionaries.texts(cells).values.to_pylist()
    return sorted(text for text in texts if text.strip().lower() in _MISSING)


def is_written_list(cells: pa.ChunkedArray) -> bool:
    """Returns whether texts are lists as Python or JSON write them."""
    if not column_types.fits(cells.type, column_types.TEXT):
        return False
    texts = [text for text in dictionaries.texts(cells).values.to_pylist() if text]
    written = sum(bool(_WRITTEN_LIST.fullmatch(text.strip())) for text in texts)
    return written > len(texts) / 2
