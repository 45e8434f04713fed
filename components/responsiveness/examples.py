"""A few simulated users with titles, for people."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.responsiveness.branches import CONTROL, TREATMENT
from components.responsiveness.simulation import Outcome
from schema import reports
from serving.bundle import catalog

_NUM_EXAMPLES = 5
_HISTORY = 8
"""Elements of the history that are shown, the last ones."""


def most_changed(
    outcome: Outcome, items: Mapping[bytes, catalog.Item], action: str
) -> list[reports.Example]:
    """Returns the simulated users whose slates a treatment changed most."""

    def described(item: bytes, **more: str) -> reports.Item:
        content = items.get(item, catalog.Item()).describe(item)
        return reports.Item(
            **{**content, "title": content["title"] or item.decode()}, **more
        )

    branches, history = outcome.treatments[action], outcome.history
    before, after = branches.slates[CONTROL], branches.slates[TREATMENT]
    kept = np.array([len(set(b) & set(a)) for b, a in zip(before, after, strict=True)])
    found = []
    for row in np.argsort(kept, kind="stable")[:_NUM_EXAMPLES]:
        shown = slice(max(0, history.length[row] - _HISTORY), history.length[row])
        elements = zip(
            history.item_id[row, shown], history.action[row, shown], strict=True
        )
        found.append(
            reports.Example(
                action=action,
                item=described(branches.item_id[row]),
                history=tuple(described(i, action=a.decode()) for i, a in elements),
                before=tuple(described(item) for item in before[row] if item),
                after=tuple(described(item) for item in after[row] if item),
            )
        )
    return found
