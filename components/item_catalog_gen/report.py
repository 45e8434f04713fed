"""What became of the rows of a catalogue."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import compute

from components.ingestion import counts
from schema import features, reports

_COUNTED = (
    "items_read",
    "items_kept",
    "duplicates",
    "with_creator",
    "with_categories",
    "with_title",
    "with_attributes",
    "with_created_at",
    "withdrawn",
)
_COMPARED = ("items_in_log", "items_not_in_log", "log_items_not_in_catalog")


def feature_counts(table: pa.Table) -> counts.Counts:
    """Returns how many items of a table have each optional feature."""

    def having(name: str) -> int:
        lengths = compute.list_value_length(table[name])
        return int(compute.sum(compute.greater(lengths, 0)).as_py() or 0)

    return {
        "items_kept": table.num_rows,
        "with_creator": having(features.CREATOR_ID),
        "with_categories": having(features.CATEGORIES),
        "with_title": having(features.TITLE),
        "with_attributes": having(features.ATTRIBUTES),
        "with_created_at": having(features.CREATED_AT),
        "withdrawn": having(features.WITHDRAWN),
    }


def catalog_report(
    found: counts.Counts, from_events: bool, is_compared: bool = False
) -> reports.Catalog:
    """Returns the content of `catalog.json`, every key present.

    Args:
      found: sum over all workers.
      from_events: the catalogue is the items of the event log; rows are events.
      is_compared: the items of the log were at hand; else what is told of them is null.
    """
    numbers = {key: found.get(key, 0) for key in _COUNTED}
    compared = {key: found.get(key, 0) if is_compared else None for key in _COMPARED}
    return reports.Catalog(
        items_rejected=found.get("items_rejected", {}),
        source="events" if from_events else "items",
        **numbers,
        **compared,
    )
