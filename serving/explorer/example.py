"""An example history for who opens the what-if page and has nothing to say yet."""

from __future__ import annotations

from collections.abc import Mapping

from serving.bundle import audience, catalog

_LIKED, _SEEN = 2, 1


def choose(
    audiences: Mapping[str, audience.Audience], items: Mapping[bytes, catalog.Item]
) -> list[tuple[str, str]]:
    """Returns (item id, mark) of each element, oldest first.

    The items that most people met, as they are known to who looks: one seen, two liked,
    the last one disliked. Without audiences they are the first of the catalogue.

    Args:
      audiences: who met what, by item id.
      items: the catalogue.

    Returns:
      Nothing where there are fewer than four items to choose from.
    """
    shown = [i.decode() for i, item in items.items() if not item.is_withdrawn]
    met = [item_id for item_id in shown if item_id in audiences]
    met.sort(key=lambda item_id: (-audiences[item_id].users, item_id))
    marks = [*[""] * _SEEN, *["like"] * _LIKED, "dislike"]
    chosen = list(dict.fromkeys([*met, *shown]))[: len(marks)]
    return list(zip(chosen, marks, strict=True)) if len(chosen) == len(marks) else []
