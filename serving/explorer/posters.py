"""Pictures of items on the page: which are shown, and from where they may come."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from schema import image_urls
from serving.bundle import catalog

_MAX_ORIGINS = 10
"""Hosts that the header names one by one; a server before ours may cut a longer one."""


def addresses(items: Mapping[bytes, catalog.Item]) -> dict[bytes, str]:
    """Returns item id to the address of its picture.

    Ingestion has dropped what is no http(s) address. A catalogue that was written by
    another hand is looked at once more: what it says ends up in a page.
    """
    found, refused = {}, 0
    for item_id, item in items.items():
        if not item.image_url:
            continue
        address = item.image_url.decode(errors="replace")
        if image_urls.origin(address):
            found[item_id] = address
        else:
            refused += 1
    if refused:
        logging.warning(
            "%d of %d items have an `image_url` that is no http(s) address: the page "
            "shows them without a picture",
            refused,
            len(items),
        )
    return found


def sources(shown: Iterable[str]) -> list[str]:
    """Returns where the pictures come from, as a Content-Security-Policy says it.

    Args:
      shown: addresses of `addresses`.

    Returns:
      Scheme and host of each origin, sorted; the schemes alone where the origins are
      too many to name.

    Example:
      >>> sources(["https://a.example/1.jpg", "https://a.example/2.jpg"])
      ['https://a.example']
    """
    origins = {origin for one in shown if (origin := image_urls.origin(one))}
    if len(origins) > _MAX_ORIGINS:
        origins = {origin.split("//")[0] for origin in origins}
    return sorted(origins)
