"""The parts of `heed inspect`: the log, then its catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.event_example_gen import mapping as event_mapping
from components.ingestion import locations, text_blocks
from components.item_catalog_gen import attributes
from components.item_catalog_gen import mapping as item_mapping
from pipeline.inspection import describe, first_rows, guess
from schema import settings


class Part(NamedTuple):
    """What is said of one source."""

    lines: list[str]
    misfit: str
    """Why the mapping does not fit it, or ""."""


def parts(config: settings.HeedConfig, num_rows: int) -> Iterator[Part]:
    """Yields what is to be said of the log and, where there is one, the catalogue.

    Raises:
      InputError: nothing can be read.
    """
    log, logged = _log(config, num_rows)
    yield log
    if config.data.items:
        yield _catalogue(config, num_rows, logged)


def _title(name: str, source: first_rows.Source) -> str:
    others = f" and {len(source.files) - 1} more" if len(source.files) > 1 else ""
    return f"{name}: {source.first.path}{others}"


def _log(config: settings.HeedConfig, num_rows: int) -> tuple[Part, pa.Array]:
    mapping = config.mapping().events
    source = first_rows.find(
        config.data.events, "data.events", text_blocks.Limits.of(config.data)
    )
    looks = first_rows.look(source)
    uses = event_mapping.column_uses(mapping)
    reads = describe.read_as(mapping.columns.model_dump(), uses)
    lines = [_title("events", source), *describe.column_table(looks, reads)]
    required = event_mapping.required_columns(mapping)
    misfit = describe.unfit(source, uses, required)
    logged = pa.array([], pa.string())
    if misfit:
        lines += _other_mapping(config, looks, "events", guess.EVENT_NAMES)
        return Part(lines, misfit), logged
    found = first_rows.read(source, uses, num_rows)
    counted, events = describe.events_of(found, config)
    lines += describe.rejections(counted, _place(source))
    if counted.kept:
        times = np.concatenate([part.timestamp for part in events])
        users = pa.concat_arrays([_used(part.user, part.user_ids) for part in events])
        items = pa.concat_arrays([_used(part.item, part.item_ids) for part in events])
        logged = items.unique()
        lines.append(
            f"  {len(users.unique()):,} users, {len(logged):,} items, times "
            f"{describe.time_range(times)}"
        )
    for column in (mapping.columns.user_id, mapping.columns.item_id):
        words = {
            word
            for look in looks
            if look.name == column
            for word in guess.missing_words(look.cells)
        } - set(mapping.missing_values)
        if words:
            lines.append(
                f"  {column} holds {', '.join(map(repr, sorted(words)))}: if that "
                f"means no value, name it in `missing_values` of the mapping"
            )
    return Part(lines, ""), logged


def _other_mapping(
    config: settings.HeedConfig,
    looks: list[first_rows.Look],
    part: str,
    known: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    yield f"  the mapping `{config.data.source}` does not fit; perhaps this one does:"
    fields = guess.columns([look.name for look in looks], known)
    yield from describe.suggested(looks, fields, part)


def _used(codes: NDArray[np.int32], ids: pa.Array) -> pa.Array:
    return ids.take(pa.array(np.unique(codes)))


def _place(source: first_rows.Source) -> str:
    return "row" if source.first.format == locations.PARQUET else "line"


def _catalogue(config: settings.HeedConfig, num_rows: int, logged: pa.Array) -> Part:
    mapping, declared = config.mapping().items, config.data.item_features
    source = first_rows.find(
        config.data.items, "data.items", text_blocks.Limits.of(config.data)
    )
    looks = first_rows.look(source)
    uses = item_mapping.column_uses(mapping, declared)
    fields = mapping.columns.model_dump() | {
        name: attributes.source_column(name, feature)
        for name, feature in declared.items()
    }
    lines = [
        _title("items", source),
        *describe.column_table(looks, describe.read_as(fields, uses)),
    ]
    required = item_mapping.required_columns(mapping, declared)
    misfit = describe.unfit(source, uses, required)
    if misfit:
        lines += _other_mapping(config, looks, "items", guess.ITEM_NAMES)
        return Part(lines, misfit)
    found = first_rows.read(source, uses, num_rows)
    counted, items = describe.items_of(found, config)
    lines += describe.rejections(counted, _place(source))
    lines.append(f"  {describe.features(items)}")
    if any(
        guess.is_written_list(look.cells)
        for look in looks
        if look.name == mapping.columns.categories
    ):
        lines.append(
            f"  {mapping.columns.categories} holds lists that are written as text, "
            f"such as ['a', 'b']: each counts as one category; write a|b, or store "
            f"lists"
        )
    if len(logged):
        lines += describe.known(source, mapping.columns.item_id, logged)
    return Part(lines, "")
