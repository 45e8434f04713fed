"""Cheap checks of a catalogue before anything runs; needs neither Beam nor TFX."""

from __future__ import annotations

from components.ingestion import locations, sources
from components.item_catalog_gen import attributes, mapping
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
    required, lists = needed_columns(data, item_mapping, event_mapping)
    sources.check_columns(
        locations.local_files(location, key), required, "data.source", lists
    )


def source_key(data: settings.DataSettings) -> str:
    """Returns the setting that says where the items come from."""
    return "data.items" if data.items else "data.events"


def needed_columns(
    data: settings.DataSettings,
    item_mapping: settings.ItemMapping,
    event_mapping: settings.EventMapping,
) -> tuple[list[str], list[str]]:
    """Returns the columns that every file must have, and those that may hold lists."""
    if not data.items:
        return [event_mapping.columns.item_id], []
    lists = [item_mapping.columns.categories]
    lists += [
        attributes.source_column(name, feature)
        for name, feature in data.item_features.items()
        if not feature.edges
    ]
    return mapping.required_columns(item_mapping, data.item_features), lists
