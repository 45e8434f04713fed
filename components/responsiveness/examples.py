"""A few simulated users with titles, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from components.responsiveness.branches import BEFORE, TREATMENT, Strings
from components.responsiveness.similarity import Similarity
from components.responsiveness.simulation import Outcome
from schema import reports
from serving.bundle import catalog

_NUM_EXAMPLES = 5
_HISTORY = 8
"""Elements of the history that are shown, the last ones."""


def most_changed(
    outcome: Outcome,
    items: Mapping[bytes, catalog.Item],
    similarities: Sequence[Similarity],
    action: str,
) -> list[reports.Example]:
    """Returns the simulated users whose slates a treatment changed most.

    Their slates are compared with those before, had they not met item k.

    Args:
      outcome: of the simulation.
      items: the catalogue.
      similarities: of the items shown to item k.
      action: the treatment.
    """
    branches, history = outcome.treatments[action], outcome.history
    before, after = branches.slates[BEFORE], branches.slates[TREATMENT]
    kept = np.array([len(set(b) & set(a)) for b, a in zip(before, after, strict=True)])
    rows = np.argsort(kept, kind="stable")[:_NUM_EXAMPLES]
    item_id = branches.item_id[rows]
    slates = [
        _slates(slate[rows], item_id, items, similarities) for slate in (before, after)
    ]
    found = []
    for row, item, *shown in zip(rows, item_id, *slates, strict=True):
        last = slice(max(0, history.length[row] - _HISTORY), history.length[row])
        elements = zip(
            history.item_id[row, last], history.action[row, last], strict=True
        )
        found.append(
            reports.Example(
                action=action,
                item=_described(item, items),
                history=tuple(
                    _described(i, items).model_copy(update={"action": a.decode()})
                    for i, a in elements
                ),
                before=shown[0],
                after=shown[1],
                is_beside_before=True,
            )
        )
    return found


def _described(item: bytes, items: Mapping[bytes, catalog.Item]) -> reports.Item:
    content = items.get(item, catalog.Item()).describe(item)
    return reports.Item(**{**content, "title": content["title"] or item.decode()})


def _slates(
    slates: Strings,
    item_id: Strings,
    items: Mapping[bytes, catalog.Item],
    similarities: Sequence[Similarity],
) -> list[tuple[reports.Item, ...]]:
    """Returns what is shown, with its likeness to item k.

    Args:
      slates: [examples, slate_size] bytes.
      item_id: [examples] bytes: item k.
      items: the catalogue.
      similarities: those that can compare nothing are left out.
    """
    likeness: dict[str, NDArray[np.float64]] = {
        by.name: by.likeness(slates, item_id)
        for by in similarities
        if by.reason is None
    }

    def shown(row: int, place: int) -> reports.Item:
        alike = {n: float(of[row, place]) for n, of in likeness.items()}
        found = {name: degree for name, degree in alike.items() if degree > 0.0}
        described = _described(slates[row, place], items)
        return described.model_copy(update={"likeness": found})

    return [
        tuple(shown(row, place) for place in np.flatnonzero(slate != b""))
        for row, slate in enumerate(slates)
    ]
