"""Parts of the held-out targets: by activity, popularity, user, category, feedback."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.evaluation import targets
from schema import settings
from serving.bundle import catalog


def masks(
    table: targets.TargetTable,
    count: NDArray[np.int64],
    items: list[catalog.Item],
    new_users: set[bytes],
    evaluation: settings.EvaluationSettings,
) -> dict[str, NDArray[np.bool_]]:
    """Returns the slices: name to [num_targets] bool.

    Args:
      table: the targets.
      count: [num_items] training labels of each item; 0: never seen in training.
      items: the catalogue's entry of each item.
      new_users: those of whom nothing was known before the held-out time.
      evaluation: the section; says how many categories.
    """
    of_target = np.where(table.item >= 0, count[np.maximum(table.item, 0)], 0)
    ordered = np.sort(count[count > 0])[::-1]
    # The head is the smallest set of items that holds half of the training labels.
    half = np.searchsorted(np.cumsum(ordered), ordered.sum() / 2.0)
    head_count = ordered[min(half, len(ordered) - 1)] if len(ordered) else 0
    median = float(np.median(table.history_length)) if len(table) else 0.0
    is_new = np.array([user in new_users for user in table.user_id], bool)
    return {
        "history:short": table.history_length <= median,
        "history:long": table.history_length > median,
        "user:new": is_new,
        "user:known": ~is_new,
        "item:head": of_target >= max(head_count, 1),
        "item:tail": (of_target > 0) & (of_target < head_count),
        "item:cold": of_target == 0,
        "negative:explicit": table.explicit,
        "negative:implicit": table.is_negative & ~table.explicit,
        **_categories(table, items, evaluation.category_slices),
    }


def _categories(
    table: targets.TargetTable, items: list[catalog.Item], number: int
) -> dict[str, NDArray[np.bool_]]:
    """Returns the slices of the categories with most targets, equal ones by name."""
    found: dict[bytes, list[int]] = {}
    for row, item in enumerate(table.item.tolist()):
        for name in items[item].categories if item >= 0 else ():
            found.setdefault(name, []).append(row)
    largest = sorted(found, key=lambda name: (-len(found[name]), name))[:number]
    result = {}
    for name in largest:
        mask = np.zeros(len(table), bool)
        mask[found[name]] = True
        result[f"category:{name.decode()}"] = mask
    return result
