"""`ingestion.json` and `catalog.json`: what became of the rows that were read."""

# ruff: noqa: RUF012 (pydantic copies defaults)
from __future__ import annotations

from typing import Literal

from schema.reports.base import Content, Count, CountByName


class Ingestion(Content):
    """`ingestion.json`: events read = kept + rejected + deduplicated."""

    events_read: Count
    events_kept: Count
    events_deduplicated: Count
    events_rejected: CountByName
    """Reason to rows."""
    users: Count
    items: Count
    examples: CountByName
    """Split to examples."""
    interactions: Count | None = None
    labels: dict[str, CountByName] = {}
    """Split to the labels of each polarity."""
    split_times_ms: tuple[int, int] | None = None
    """Where the eval and the test split begin, ms UTC; None: leave_last_out."""
    spans: tuple[int, ...] = ()
    """Numbers of the spans that were read; none without a pattern."""


class Catalog(Content):
    """`catalog.json`: items read = kept + rejected + duplicates."""

    items_read: Count
    items_kept: Count
    duplicates: Count = 0
    items_rejected: CountByName = {}
    """Reason to rows."""
    source: Literal["items", "events"] = "items"
    """Events: the catalogue is the items of the event log, and rows are events."""
    with_title: Count = 0
    with_categories: Count = 0
    with_creator: Count = 0
    with_created_at: Count = 0
    with_image_url: Count = 0
    image_urls_refused: Count = 0
    """Items kept without the address of their picture, which no page may load."""
    with_attributes: Count = 0
    withdrawn: Count = 0
    items_in_log: Count | None = None
    """Of the catalogue; None, as the next two: the log's items were not at hand."""
    items_not_in_log: Count | None = None
    log_items_not_in_catalog: Count | None = None
