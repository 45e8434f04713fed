"""What the Beam path of the catalogue needs to know, in one picklable object."""

from __future__ import annotations

import dataclasses

from components.ingestion import locations, text_blocks
from schema import settings


@dataclasses.dataclass(frozen=True)
class CatalogPlan:
    """Everything that decides the examples of a catalogue.

    Attributes:
      files: the catalogue's files, or the event log's.
      mapping: from raw columns to canonical items.
      list_columns: the columns that may hold lists.
      event_item_column: the log's column of item ids; "": the files are a catalogue.
      num_shards: number of TFRecord files.
      examples_dir: folder of those files.
      report_dir: folder of `catalog.json` and the dead letters.
      data: the policies of items that the log or the catalogue lacks.
      logged_items: file of the log's item ids; "": the two are not compared.
      block_bytes: about how much text is parsed at once.
    """

    files: tuple[locations.SourceFile, ...]
    mapping: settings.ItemMapping
    list_columns: tuple[str, ...]
    event_item_column: str
    num_shards: int
    examples_dir: str
    report_dir: str
    data: settings.DataSettings
    logged_items: str = ""
    block_bytes: int = text_blocks.BLOCK_BYTES
