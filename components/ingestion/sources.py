"""Opens the files of a source, checks them cheaply, and reads them block by block."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from components.event_example_gen import mapping
from components.ingestion import (
    blocks,
    locations,
    read_csv,
    read_jsonl,
    read_parquet,
    text_blocks,
)
from schema import errors, events, settings


def open_file(path: str) -> Any:
    """Opens a file for reading bytes, on this machine or elsewhere."""
    if not locations.is_remote(path):
        return pa.OSFile(path)
    from apache_beam.io import filesystem, filesystems

    return filesystems.FileSystems.open(
        path, compression_type=filesystem.CompressionTypes.UNCOMPRESSED
    )


def read_blocks(
    stream: BinaryIO,
    file: locations.SourceFile,
    unit: read_parquet.RowGroups | None,
    columns: Sequence[str],
    list_columns: Sequence[str] = (),
    dictionary_columns: Sequence[str] = (),
    block_bytes: int = text_blocks.BLOCK_BYTES,
) -> Iterator[blocks.Block]:
    """Yields the rows of a file, or of some of its row groups.

    Args:
      stream: the open file.
      file: its format and compression.
      unit: row groups of a Parquet file; None: all of it.
      columns: names to read; those that the file lacks are left out.
      list_columns: those that may hold lists (JSON Lines).
      dictionary_columns: those that stay dictionary-encoded (Parquet).
      block_bytes: about how much text is parsed at once.
    """
    if file.format == locations.PARQUET:
        yield from read_parquet.read_blocks(stream, unit, columns, dictionary_columns)
        return
    lines = text_blocks.LineBlocks(
        text_blocks.content(stream, file.compressed, block_bytes), block_bytes
    )
    if file.format == locations.CSV:
        yield from read_csv.read_blocks(lines, columns)
    else:
        yield from read_jsonl.read_blocks(lines, columns, list_columns)
    if lines.damage is not None:
        tail = lines.damaged_tail.decode("utf-8", "replace")
        yield blocks.refusals_only(
            [blocks.Rejected(lines.line, events.TRUNCATED_FILE, tail)]
        )


def check_source(
    data: settings.DataSettings,
    event_mapping: settings.EventMapping,
    feedback: settings.FeedbackSettings,
) -> None:
    """Raises if the event log cannot be what the settings say, before anything runs.

    Looks at names, headers and schemas of files on this machine; a log on another
    file system is looked at when the step runs.

    Raises:
      InputError: no such file, an unknown format, a mapped column that a file lacks,
        or a mapping to an action that the feedback policy does not define.
    """
    check_actions(event_mapping, feedback)
    if locations.is_remote(data.events):
        return
    files = locations.local_files(data.events, "data.events")
    check_columns(files, mapping.required_columns(event_mapping), "data.source")


def check_actions(
    event_mapping: settings.EventMapping, feedback: settings.FeedbackSettings
) -> None:
    """Raises if the mapping produces an action that the policy does not know.

    Raises:
      InputError: names the action and the policy's actions.
    """
    if event_mapping.columns.action:
        return
    produced = [rule.action for rule in event_mapping.action_rules]
    if event_mapping.default_action:
        produced.append(event_mapping.default_action)
    if not produced:
        raise errors.InputError(
            "the mapping has neither `columns.action` nor `action_rules` nor a "
            "`default_action`; give it one of them, or no event has an action."
        )
    for action in produced:
        if action not in feedback.actions:
            raise errors.InputError(
                f"the mapping produces the action {action!r}, which "
                f"`feedback.actions` does not define; it defines "
                f"{', '.join(feedback.names())}."
            )


def check_columns(
    files: Sequence[locations.SourceFile],
    required: Collection[str],
    key: str,
    list_columns: Collection[str] = (),
) -> None:
    """Raises if a readable file lacks a required column, or if none is readable.

    Args:
      files: the source.
      required: names of columns that every file must have.
      key: the setting to change, for the message.
      list_columns: those that may hold lists.

    Raises:
      InputError: names the file, the column, and the columns that it has.
    """
    readable = 0
    for file in files:
        found = column_types(file)
        if found is None:
            continue
        readable += 1
        for name in required:
            if name not in found:
                raise errors.InputError(
                    f"{file.path} has no column {name!r}, which the mapping of "
                    f"`{key}` reads; it has {', '.join(sorted(found)) or 'none'}. "
                    f"Name the right column in the mapping, or mend the file."
                )
            kind = found[name]
            nested = kind is not None and pa.types.is_nested(kind)
            if nested and name not in list_columns:
                raise errors.InputError(
                    f"{file.path}: column {name!r} holds {kind}; expected text or "
                    f"numbers. Name another column in the mapping of `{key}`."
                )
    if not readable:
        raise errors.InputError(
            f"{files[0].path} cannot be read, nor any other of the {len(files)} "
            f"files of the source; they are empty or damaged."
        )


def column_types(file: locations.SourceFile) -> dict[str, pa.DataType | None] | None:
    """Returns the columns of a file, with their types where the format has types.

    Returns None where nothing of the file can be read.

    Raises:
      InputError: the file does not exist or may not be read.
    """
    try:
        stream = open_file(file.path)
    except OSError as error:
        raise errors.InputError(f"{file.path} cannot be opened: {error}") from error
    with stream:
        if file.format == locations.PARQUET:
            parquet = read_parquet.open_file(stream)
            if parquet is None:
                return None
            return {field.name: field.type for field in parquet.schema_arrow}
        lines = text_blocks.LineBlocks(
            text_blocks.content(stream, file.compressed, 2**16), 2**16
        )
        if file.format == locations.CSV:
            names = read_csv.header(lines)
        else:
            block = next(iter(lines), None)
            names = sorted(read_jsonl.sample_keys(block.data)) if block else []
        return dict.fromkeys(names) if names else None
