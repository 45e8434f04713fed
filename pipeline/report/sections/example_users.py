"""A few simulated users: what they were shown before, and with, the dislike."""

from __future__ import annotations

import dataclasses

from pipeline.report.sections import responsiveness
from pipeline.report.wording import findings, formatting
from schema import reports

_NEAREST = "audience_nearest"
_GRADED = ("audience", "category_overlap", "creator")
"""What likeness is told by: in degrees, so that what moves is seen."""
_LEAST_TOLD = 0.0005
"""Mean likeness that is not 0.0 % when it is written down."""


@dataclasses.dataclass(frozen=True)
class ShownItem:
    """One item of a history or of a slate."""

    item_id: str
    title: str
    detail: str
    """Categories and creator."""
    action: str = ""
    change: str = ""
    """`went`, `came`, or empty: in both slates."""
    alike: str = ""
    """What it has in common with the disliked item; empty: nothing."""


@dataclasses.dataclass(frozen=True)
class ShownExample:
    """One simulated user."""

    action: str
    disliked: ShownItem
    history: tuple[ShownItem, ...]
    before: tuple[ShownItem, ...]
    after: tuple[ShownItem, ...]
    before_title: str
    """Says what `before` is: before item k, or after the control."""
    finding: findings.Finding


def build(content: reports.Responsiveness | None) -> tuple[ShownExample, ...]:
    """Returns the examples; empty where nothing was simulated."""
    if content is None:
        return ()
    return tuple(_example(example) for example in content.examples)


def in_common(item: reports.Item, disliked: reports.Item) -> str:
    """Returns what an item has in common with the disliked one; "": nothing.

    Example:
      >>> horror = reports.Item(item_id="a", categories=("Horror", "Sci-Fi"))
      >>> action = reports.Item(item_id="b", categories=("Action", "Sci-Fi"))
      >>> in_common(action, horror)
      '1 of 2 categories'
    """
    shared = []
    if item.likeness.get(_NEAREST):
        shared.append("nearest by audience")
    if item.creator_id and item.creator_id == disliked.creator_id:
        shared.append("same creator")
    wanted = {*disliked.categories}
    common = len(wanted & {*item.categories})
    if common and {*item.categories} == wanted:
        shared.append("same categories")
    elif common:
        noun = "category" if len(wanted) == 1 else "categories"
        shared.append(f"{common} of {len(wanted)} {noun}")
    return ", ".join(shared)


def _shown(item: reports.Item, change: str = "", alike: str = "") -> ShownItem:
    parts = (", ".join(item.categories), item.creator_id)
    return ShownItem(
        item_id=item.item_id,
        title=item.title or item.item_id,
        detail=" \u00b7 ".join(part for part in parts if part),
        action=item.action.replace("|", " + "),
        change=change,
        alike=alike,
    )


def _slate(
    items: tuple[reports.Item, ...],
    other: tuple[reports.Item, ...],
    change: str,
    disliked: reports.Item,
) -> tuple[ShownItem, ...]:
    kept = {item.item_id for item in other}
    return tuple(
        _shown(
            item,
            change="" if item.item_id in kept else change,
            alike=in_common(item, disliked),
        )
        for item in items
    )


def _example(example: reports.Example) -> ShownExample:
    before = _slate(example.before, example.after, "went", example.item)
    after = _slate(example.after, example.before, "came", example.item)
    beside = "had the user not met it" if example.is_beside_before else "without it"
    return ShownExample(
        action=example.action,
        disliked=_shown(example.item),
        history=tuple(_shown(item) for item in example.history),
        before=before,
        after=after,
        before_title=f"Next {beside}",
        finding=_finding(example),
    )


def _finding(example: reports.Example) -> findings.Finding:
    """Tells what went, and the likeness of both slates to the disliked item."""
    kept = {item.item_id for item in example.after}
    went = sum(item.item_id not in kept for item in example.before)
    text = f"{went} of {len(example.before)} recommendations went."
    told, changes = [], []
    for name in _GRADED:
        before, after = _mean(example.before, name), _mean(example.after, name)
        if max(before, after) >= _LEAST_TOLD:
            first, then = formatting.percent(before), formatting.percent(after)
            told.append(f"{responsiveness.words(name)} {first} to {then}")
            changes.append(after - before)
    if not told:
        return findings.Finding(f"{text} Neither slate is known to resemble the item.")
    rose, fell = any(c > 0.0 for c in changes), any(c < 0.0 for c in changes)
    judgement: findings.Judgement = "neutral"
    if rose != fell:
        judgement = "bad" if rose else "good"
    return findings.Finding(f"{text} Likeness to it: {'; '.join(told)}.", judgement)


def _mean(slate: tuple[reports.Item, ...], similarity: str) -> float:
    """Returns the mean likeness of a slate, [0, 1]."""
    degrees = [item.likeness.get(similarity) or 0.0 for item in slate]
    return sum(degrees) / len(degrees) if degrees else 0.0
