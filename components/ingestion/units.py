"""Divides the files of a source into units of work."""

from __future__ import annotations

from components.ingestion import locations, read_parquet, sources

Unit = tuple[locations.SourceFile, read_parquet.RowGroups | None]
"""A file, and which row groups of it; None: all of the file."""


def list_units(file: locations.SourceFile) -> list[Unit]:
    """Returns the units of work of a file: runs of row groups, or the file."""
    if file.format != locations.PARQUET:
        return [(file, None)]
    with sources.open_file(file.path) as stream:
        parquet = read_parquet.open_file(stream)
        if parquet is None:
            return [(file, None)]
        return [(file, unit) for unit in read_parquet.units(parquet)]
