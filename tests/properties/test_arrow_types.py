"""Every type of Arrow in every canonical column: read to its value, or refused."""

from __future__ import annotations

import math
import pathlib
import tempfile
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from components.event_example_gen import mapping as event_mapping
from components.ingestion import check_columns, locations, sources
from components.item_catalog_gen import mapping as item_mapping
from schema import errors
from schema import settings as heed_settings
from tests.properties.arrow_cells import (
    ACTIONS,
    KINDS,
    MISSING,
    NOW,
    REFUSED,
    Kind,
    as_number,
    as_sequence,
    as_set,
    as_text,
    as_time,
    as_truth,
    is_fit,
)

DATA = heed_settings.DataSettings()
GOOD = {"user_id": "u", "item_id": "i", "timestamp": str(NOW), "action": "like"}
EVENTS = heed_settings.EventMapping()
ITEMS = heed_settings.ItemMapping()
DECLARED = {
    "year": heed_settings.ItemFeature(edges=(5.0,)),
    "language": heed_settings.ItemFeature(),
}
EVENT_COLUMNS = ("user_id", "item_id", "timestamp", "action", "value", "sequence")
ITEM_COLUMNS = (
    "item_id",
    "creator_id",
    "categories",
    "title",
    "created_at",
    "withdrawn",
    "year",
    "language",
)


def column_of(kind: Kind, chosen: list) -> pa.Array:
    cells = [None if cell is None else cell[0] for cell in chosen]
    if kind.type == pa.float16():
        filled = np.array([0 if cell is None else cell for cell in cells], np.float16)
        return pa.array(filled, mask=np.array([cell is None for cell in cells]))
    return pa.array(cells, kind.type)


def expected_event(column: str, cell: tuple | None, family: str) -> Any:
    """Returns what the field of an event is, MISSING or REFUSED."""
    if cell is None:
        found: Any = MISSING
    elif column in ("user_id", "item_id", "action"):
        found = as_text(cell[1], family)
    elif column == "timestamp":
        found = as_time(cell[1], family)
    elif column == "value":
        found = as_number(cell[1], family)
    else:
        found = as_sequence(cell[1], family)
    if column in ("value", "sequence"):
        if column == "value" and isinstance(found, float):
            return found if abs(found) < 3e38 else REFUSED
        return found
    if column == "action" and found not in ACTIONS:
        return REFUSED
    if column == "timestamp" and isinstance(found, int):
        in_range = DATA.min_timestamp_ms <= found < DATA.max_timestamp_ms
        return found if in_range else REFUSED
    return REFUSED if found == MISSING else found


def found_event(events: event_mapping.Events, column: str, row: int) -> Any:
    if column == "user_id":
        return events.user_ids[int(events.user[row])].as_py()
    if column == "item_id":
        return events.item_ids[int(events.item[row])].as_py()
    if column == "action":
        return ACTIONS[events.action[row]]
    if column == "timestamp":
        return int(events.timestamp[row])
    if column == "value":
        return MISSING if math.isnan(events.value[row]) else float(events.value[row])
    assert events.sequence is not None
    number = int(events.sequence[row])
    return MISSING if number == event_mapping.NO_SEQUENCE else number


def check_events(column: str, array: pa.Array, chosen: list, family: str) -> None:
    good = {name: pa.array([cell] * len(chosen)) for name, cell in GOOD.items()}
    table = pa.table({**good, column: array})
    events, refused = event_mapping.to_events(table, EVENTS, DATA, ACTIONS)
    for row, cell in enumerate(chosen):
        expected = expected_event(column, cell, family)
        reason = refused.of(row)
        assert bool(reason) == (expected == REFUSED), (cell, reason)
        if reason:
            continue
        found = found_event(events, column, row)
        if column == "value" and expected != MISSING:
            # Arrow rounds decimals of thirty digits once more.
            assert found == pytest.approx(expected, rel=1e-12), cell
        else:
            assert found == expected, cell


def expected_item(column: str, cell: tuple | None, family: str) -> Any:
    """Returns the values of an item's field, as a list, or REFUSED."""
    if cell is None:
        found: Any = MISSING
    elif column in ("item_id", "creator_id", "title"):
        found = as_text(cell[1], family)
    elif column in ("categories", "language"):
        found = as_set(cell[1], family)
    elif column == "created_at":
        found = as_time(cell[1], family)
    elif column == "year":
        found = as_number(cell[1], family)
    else:
        found = as_truth(cell[1], family)
    if found == REFUSED or (column == "item_id" and found == MISSING):
        return REFUSED
    if found == MISSING or found is False:
        return []
    if column == "categories":
        return sorted(text.encode() for text in found)
    if column == "language":
        return sorted(f"language={text}".encode() for text in found)
    if column == "year":
        return [b"year=1" if found >= 5 else b"year=0"]
    if column == "withdrawn":
        return [1]
    return [found.encode() if isinstance(found, str) else found]


def check_items(column: str, array: pa.Array, chosen: list, family: str) -> None:
    table = pa.table({"item_id": pa.array(["i"] * len(chosen)), column: array})
    if column == "item_id":
        table = pa.table({column: array})
    declared = {name: DECLARED[name] for name in (column,) if name in DECLARED}
    items, refused = item_mapping.to_items(table, ITEMS, declared)
    field = "attributes" if declared else column
    for row, cell in enumerate(chosen):
        expected = expected_item(column, cell, family)
        reason = refused.of(row)
        assert bool(reason) == (expected == REFUSED), (cell, reason)
        if not reason:
            assert items[field][row].as_py() == expected, cell


@st.composite
def columns(draw: st.DrawFn) -> tuple[Kind, list, pa.Array]:
    kind = draw(st.sampled_from(KINDS))
    cells = st.sampled_from([None, *kind.cells])
    chosen = draw(st.lists(cells, min_size=1, max_size=8))
    return kind, chosen, column_of(kind, chosen)


@settings(max_examples=400, deadline=None)
@given(columns(), st.sampled_from(EVENT_COLUMNS), st.booleans())
def test_events(made, column, as_dictionary):
    kind, chosen, array = made
    if as_dictionary and kind.family in ("int", "text", "decimal", "uuid", "time"):
        array = array.dictionary_encode()
    check_events(column, array, chosen, kind.family)


@settings(max_examples=400, deadline=None)
@given(columns(), st.sampled_from(ITEM_COLUMNS), st.booleans())
def test_items(made, column, as_dictionary):
    kind, chosen, array = made
    if as_dictionary and kind.family in ("int", "text", "decimal", "uuid", "time"):
        array = array.dictionary_encode()
    check_items(column, array, chosen, kind.family)


USES = {
    **dict.fromkeys(("user_id", "item_id", "action", "creator_id", "title"), "text"),
    **dict.fromkeys(("categories", "language"), "texts"),
    **dict.fromkeys(("value", "sequence", "year"), "number"),
    **dict.fromkeys(("timestamp", "created_at"), "time"),
    "withdrawn": "condition",
}


@settings(max_examples=200, deadline=None)
@given(columns(), st.sampled_from([*EVENT_COLUMNS, *ITEM_COLUMNS]))
def test_a_file_is_refused_by_a_sentence_or_read(made, column):
    kind, chosen, array = made
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "a.parquet")
        try:
            parquet.write_table(pa.table({column: array}), path)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            return  # no such file can be
        file = locations.SourceFile(0, str(path), "parquet", False)
        uses = [(column, USES[column])]
        if not is_fit(kind.family, USES[column]):
            with pytest.raises(
                errors.InputError, match=f"{column}.* holds .*; expected"
            ):
                check_columns.check([file], uses, [column], "data.source")
            return
        check_columns.check([file], uses, [column], "data.source")
        with path.open("rb") as stream:
            read = list(sources.read_blocks(stream, file, None, [column]))
    assert not any(block.rejected for block in read)
    whole = pa.concat_tables([block.table for block in read])[column]
    if column in EVENT_COLUMNS:
        check_events(column, whole, chosen, kind.family)
    if column in ITEM_COLUMNS:
        check_items(column, whole, chosen, kind.family)


def test_the_types_are_not_trivial():
    families = {kind.family for kind in KINDS}
    assert len(KINDS) > 300
    assert {"int", "float", "decimal", "text", "uuid", "time", "bool"} < families
    assert sum(bool(kind.cells) for kind in KINDS) > 250
