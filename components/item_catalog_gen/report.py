"""What became of the rows of a catalogue."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import compute

from components.ingestion import counts
from schema import features, reports

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
        "with_image_url": having(features.IMAGE_URL),
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
    content = {key: found.get(key, 0) for key in reports.Catalog.model_fields}
    if not is_compared:
        content |= dict.fromkeys(_COMPARED)
    content["items_rejected"] = found.get("items_rejected", {})
    content["source"] = "events" if from_events else "items"
    return reports.Catalog.model_validate(content)
