"""Cheap checks of a catalogue before anything runs; needs neither Beam nor TFX."""

from __future__ import annotations

from components.ingestion import check_columns, column_types, locations, text_blocks
from components.item_catalog_gen import mapping
from schema import settings


def check_source(
    data: settings.DataSettings,
    item_mapping: settings.ItemMapping,
    event_mapping: settings.EventMapping,
) -> None:
    """Raises if the catalogue cannot be what the settings say.

    Looks at names, headers and schemas of files on this machine. Without a catalogue
    the event log is looked at instead.

    Raises:
      InputError: no such file, an unknown format, or a mapped column that a file lacks.
    """
    location, key = data.items or data.events, source_key(data)
    if locations.is_remote(location):
        return
    uses, required = needed_columns(data, item_mapping, event_mapping)
    files = locations.local_files(location, key)
    limits = text_blocks.Limits.of(data)
    check_columns.check(files, uses, required, "data.source", limits)


def source_key(data: settings.DataSettings) -> str:
    """Returns the setting that says where the items come from."""
    return "data.items" if data.items else "data.events"


def needed_columns(
    data: settings.DataSettings,
    item_mapping: settings.ItemMapping,
    event_mapping: settings.EventMapping,
) -> tuple[column_types.Uses, list[str]]:
    """Returns the columns that are read, and those that every file must have."""
    if not data.items:
        item_id = event_mapping.columns.item_id
        return [(item_id, column_types.TEXT)], [item_id]
    return (
        mapping.column_uses(item_mapping, data.item_features),
        mapping.required_columns(item_mapping, data.item_features),
    )
