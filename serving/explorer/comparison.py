"""Two slates side by side: what fell, what rose, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving import requests
from serving.bundle import catalog
from serving.explorer import likeness, search

_MOST_NAMED = 3
"""Disliked items with a sentence of their own, the newest."""
_PARTS = (
    ("audience", "shared audience"),
    ("categories", "shared categories"),
    ("creator", "same creator"),
)
_LEAST_TOLD = 0.0005
"""Mean likeness of a slate that is not 0.0 % when it is written down."""
_NOTHING_KNOWN = "nothing known in common with what you disliked: others passed it"


def compare(
    before: Sequence[requests.Recommendation],
    after: Sequence[requests.Recommendation],
    history: Sequence[tuple[str, str]],
    listed: search.Catalog,
    resemblance: likeness.Resemblance,
) -> dict[str, Any]:
    """Returns both slates with items, changes of rank and their reasons.

    Args:
      before: had the user said nothing.
      after: with all marks.
      history: (item id, mark) of each element.
      listed: the catalogue.
      resemblance: of its items.

    Returns:
      `before` and `after`: rows with the item, `rank` (from 1), `score`, `other_rank`
      (the rank in the other slate; None: not there) and `reason`: in `before` why it
      fell, in `after` why it rose, "" where nothing is to be said. `summary`: sentences
      that say it of the whole; none without a mark.
    """
    disliked = _marked(history, "dislike", listed)
    liked = _marked(history, "like", listed)
    rows_before, rows_after = _rows(before, after, listed), _rows(after, before, listed)
    for row in rows_before:
        row["reason"] = _why_it_fell(row, disliked, resemblance)
    for row in rows_after:
        row["reason"] = _why_it_rose(row, liked, disliked, resemblance)
    summary = [_moves(rows_before, rows_after)] if disliked or liked else []
    for other in disliked[:_MOST_NAMED]:
        summary.append(_likeness_of_slates(rows_before, rows_after, other, resemblance))
    return {"before": rows_before, "after": rows_after, "summary": summary}


def _marked(
    history: Sequence[tuple[str, str]], wanted: str, listed: search.Catalog
) -> list[catalog.Described]:
    """Returns the items with a mark, newest first, each once."""
    ids = dict.fromkeys(i for i, mark in reversed(history) if mark == wanted)
    return [listed.get(item_id) for item_id in ids]


def _rows(
    slate: Sequence[requests.Recommendation],
    other: Sequence[requests.Recommendation],
    listed: search.Catalog,
) -> list[dict[str, Any]]:
    other_rank = {one.item_id: rank for rank, one in enumerate(other, start=1)}
    return [
        {
            **listed.get(one.item_id),
            "rank": rank,
            "score": one.score,
            "other_rank": other_rank.get(one.item_id),
        }
        for rank, one in enumerate(slate, start=1)
    ]


def _is_higher_here(row: dict[str, Any]) -> bool:
    """Returns whether an item stands higher in this slate, or in this one alone.

    Of the slate before: it fell. Of the slate after: it rose.
    """
    return row["other_rank"] is None or row["other_rank"] > row["rank"]


def _why_it_fell(
    row: Any,
    disliked: Sequence[catalog.Described],
    resemblance: likeness.Resemblance,
) -> str:
    if not _is_higher_here(row) or not disliked:
        return ""
    reason = resemblance.reason(row, disliked)
    return _NOTHING_KNOWN if not reason and row["other_rank"] is None else reason


def _why_it_rose(
    row: Any,
    liked: Sequence[catalog.Described],
    disliked: Sequence[catalog.Described],
    resemblance: likeness.Resemblance,
) -> str:
    if not _is_higher_here(row):
        return ""
    if reason := resemblance.reason(row, liked, ", which you liked"):
        return reason
    against = resemblance.reason(row, disliked)
    return f"rose although it resembles what you disliked: {against}" if against else ""


def _moves(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> str:
    gone = sum(row["other_rank"] is None for row in before)
    fell = sum(map(_is_higher_here, before)) - gone
    new = sum(row["other_rank"] is None for row in after)
    rose = sum(map(_is_higher_here, after)) - new
    return (
        f"Of the {len(before)} items shown had you said nothing, {gone} left and "
        f"{fell} fell; {rose} rose and {new} came in."
    )


def _likeness_of_slates(
    before: Sequence[Any],
    after: Sequence[Any],
    other: catalog.Described,
    resemblance: likeness.Resemblance,
) -> str:
    """Returns a sentence on how much both slates resemble an item."""
    told = []
    for name, words in _PARTS:
        first = _mean(before, other, resemblance, name)
        then = _mean(after, other, resemblance, name)
        if max(first, then) >= _LEAST_TOLD:
            told.append(f"{words} {_percent(first)} \u2192 {_percent(then)}")
    if not told:
        return f"Neither slate is known to resemble {other['title']}."
    return f"Likeness to {other['title']}: {'; '.join(told)}."


def _mean(
    slate: Sequence[Any],
    other: catalog.Described,
    resemblance: likeness.Resemblance,
    part: str,
) -> float:
    """Returns the mean likeness of a slate, [0, 1]."""
    found = [getattr(resemblance.of(row, other), part) or 0.0 for row in slate]
    return sum(found) / len(found) if found else 0.0


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f}\u00a0%"
