"""A few simulated users: what they were shown without, and with, the dislike."""

from __future__ import annotations

import dataclasses

from pipeline.report.wording import findings
from schema import reports


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
    finding: findings.Finding


def build(content: reports.Responsiveness | None) -> tuple[ShownExample, ...]:
    """Returns the examples; empty where nothing was simulated."""
    if content is None:
        return ()
    return tuple(_example(example) for example in content.examples)


def in_common(item: reports.Item, disliked: reports.Item) -> str:
    """Returns what makes an item like the disliked one; empty where nothing does.

    The same rule as the simulation's: an identical, non-empty set of categories, or
    the same creator.
    """
    shared = []
    if item.categories and set(item.categories) == set(disliked.categories):
        shared.append("same categories")
    if item.creator_id and item.creator_id == disliked.creator_id:
        shared.append("same creator")
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
    return ShownExample(
        action=example.action,
        disliked=_shown(example.item),
        history=tuple(_shown(item) for item in example.history),
        before=before,
        after=after,
        finding=_finding(before, after),
    )


def _finding(
    before: tuple[ShownItem, ...], after: tuple[ShownItem, ...]
) -> findings.Finding:
    went = sum(item.change == "went" for item in before)
    alike = sum(bool(item.alike) for item in before)
    alike_after = sum(bool(item.alike) for item in after)
    text = (
        f"{went} of {len(before)} recommendations went. Those like the disliked item "
    )
    if alike == alike_after == 0:
        return findings.Finding(f"{text}were none in either case.")
    if alike_after < alike:
        return findings.Finding(f"{text}fell from {alike} to {alike_after}.", "good")
    if alike_after > alike:
        return findings.Finding(f"{text}rose from {alike} to {alike_after}.", "bad")
    return findings.Finding(f"{text}stayed at {alike}.")
