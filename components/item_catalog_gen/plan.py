"""What the Beam path of the catalogue needs to know, in one picklable object."""

from __future__ import annotations

import dataclasses

from components.ingestion import locations, text_blocks
from schema import settings


@dataclasses.dataclass(frozen=True)
class CatalogPlan:
    """Everything that decides the examples of a catalogue."""

    files: tuple[locations.SourceFile, ...]
    """The catalogue's files, or the event log's."""
    mapping: settings.ItemMapping
    """From raw columns to canonical items."""
    event_item_column: str
    """The log's column of item ids; "": the files are a catalogue."""
    num_shards: int
    """Number of TFRecord files."""
    examples_dir: str
    """Folder of those files."""
    report_dir: str
    """Folder of `catalog.json` and the dead letters."""
    data: settings.DataSettings
    """The policies of items that the log or the catalogue lacks."""
    logged_items: str = ""
    """File of the log's item ids; "": the two are not compared."""
    block_bytes: int = text_blocks.BLOCK_BYTES
    """About how much text is parsed at once."""
