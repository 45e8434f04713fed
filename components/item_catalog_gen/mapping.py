"""Maps raw catalogue columns to canonical items, whole columns at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from components.ingestion import (
    casting,
    column_types,
    dictionaries,
    missing_values,
    nested,
    refusals,
    timestamps,
)
from components.item_catalog_gen import attributes, pictures
from schema import errors, events, features, items, settings

_OPTIONAL = (
    features.CREATOR_ID,
    features.CATEGORIES,
    features.TITLE,
    features.IMAGE_URL,
    features.CREATED_AT,
    features.WITHDRAWN,
)
SCHEMA = pa.schema(
    [
        (features.ITEM_ID, pa.list_(pa.binary())),
        (features.CREATOR_ID, pa.list_(pa.binary())),
        (features.CATEGORIES, pa.list_(pa.binary())),
        (features.TITLE, pa.list_(pa.binary())),
        (features.IMAGE_URL, pa.list_(pa.binary())),
        (features.ATTRIBUTES, pa.list_(pa.binary())),
        (features.CREATED_AT, pa.list_(pa.int64())),
        (features.WITHDRAWN, pa.list_(pa.int64())),
    ]
)
"""Canonical items: every feature is a list; `item_id` has one value, `withdrawn` is 1
or absent."""
_TRUTH = {"true": True, "1": True, "false": False, "0": False, "": False}


def column_uses(
    mapping: settings.ItemMapping, declared: attributes.Declared
) -> column_types.Uses:
    """Returns all source columns that are read, and as what."""
    columns = mapping.columns
    uses: list[tuple[str, column_types.Use]] = [
        (columns.item_id, column_types.TEXT),
        (columns.creator_id, column_types.TEXT),
        (columns.categories, column_types.TEXTS),
        (columns.title, column_types.TEXT),
        # A list has no address, but must not cost the item more than its picture.
        (columns.image_url, column_types.TEXTS),
        (columns.created_at, column_types.TIME),
        (columns.withdrawn, column_types.CONDITION),
    ]
    uses += [
        (
            attributes.source_column(name, feature),
            column_types.NUMBER if feature.edges else column_types.TEXTS,
        )
        for name, feature in declared.items()
    ]
    return [(name, use) for name, use in uses if name]


def required_columns(
    mapping: settings.ItemMapping, declared: attributes.Declared
) -> list[str]:
    """Returns the source columns that every file must have.

    The item id, every declared feature, and every column that the mapping names by
    hand; a canonical name that nobody asked for may be absent.
    """
    default = settings.ItemColumns()
    named = [
        column
        for field in _OPTIONAL
        if (column := getattr(mapping.columns, field))
        and column != getattr(default, field)
    ]
    if not mapping.columns.item_id:
        raise errors.InputError(
            "the item mapping names no column for `item_id`; every item needs one."
        )
    named += [attributes.source_column(*entry) for entry in declared.items()]
    return list(dict.fromkeys([mapping.columns.item_id, *named]))


def item_ids(column: pa.ChunkedArray, reasons: refusals.Reasons) -> pa.Array:
    """Returns item ids as text, and refuses rows without a usable one.

    Args:
      column: raw ids of any type.
      reasons: takes up the refusals.
    """
    codes, values = refusals.identifiers(column, reasons, *events.ITEM_ID_REASONS)
    return values.take(pa.array(codes, mask=codes < 0))


def only_ids(ids: pa.Array) -> pa.Table:
    """Returns items that have an id and nothing else."""
    columns = [_none(len(ids), field.type.value_type) for field in SCHEMA]
    columns[SCHEMA.get_field_index(features.ITEM_ID)] = _at_most_one(
        ids.cast(pa.binary())
    )
    return pa.table(columns, schema=SCHEMA)


def _none(num_rows: int, kind: pa.DataType) -> pa.ListArray:
    return _at_most_one(pa.nulls(num_rows, kind))


def to_items(
    table: pa.Table, mapping: settings.ItemMapping, declared: attributes.Declared
) -> tuple[pa.Table, refusals.Reasons]:
    """Returns a table's rows as canonical items, and which are refused and why.

    Args:
      table: raw columns; optional ones may be absent.
      mapping: where the canonical fields come from.
      declared: further features, by name.

    Returns:
      A table of `SCHEMA` with all rows of the input.
    """
    reasons = refusals.Reasons(table.num_rows)
    columns = mapping.columns
    refusals.refuse_unfit(table, column_uses(mapping, declared), reasons)
    only_id = missing_values.without(
        table.select([columns.item_id]), mapping.missing_values
    )
    ids = item_ids(only_id[columns.item_id], reasons)
    result = {features.ITEM_ID: _at_most_one(ids.cast(pa.binary()))}
    for field, bad in (
        (features.CREATOR_ID, items.BAD_CREATOR_ID),
        (features.TITLE, items.BAD_TITLE),
    ):
        text, is_bad = _texts(table, getattr(columns, field), mapping.missing_values)
        reasons.add(bad, is_bad)
        result[field] = _at_most_one(text.cast(pa.binary()))
    pictured = _texts(table, columns.image_url, mapping.missing_values)
    result[features.IMAGE_URL] = _at_most_one(pictures.of_texts(*pictured))
    result[features.CATEGORIES] = _listed(
        table, columns.categories, mapping, items.BAD_CATEGORIES, reasons
    )
    result[features.ATTRIBUTES] = attributes.joined(
        [
            _attribute(table, name, feature, mapping, reasons)
            for name, feature in sorted(declared.items())
        ],
        table.num_rows,
    )
    result[features.CREATED_AT] = _created_at(table, mapping, reasons)
    result[features.WITHDRAWN] = _withdrawn(table, mapping, reasons)
    return pa.table(result, schema=SCHEMA), reasons


def _attribute(
    table: pa.Table,
    name: str,
    feature: settings.ItemFeature,
    mapping: settings.ItemMapping,
    reasons: refusals.Reasons,
) -> pa.ListArray:
    column = attributes.source_column(name, feature)
    if feature.edges:
        return attributes.of_numbers(table[column], name, feature.edges, reasons)
    listed = _listed(table, column, mapping, items.BAD_ITEM_FEATURE, reasons)
    return attributes.of_texts(listed, name)


def _at_most_one(values: pa.Array) -> pa.ListArray:
    """Returns a list of one value per row, empty where it is null."""
    offsets = np.concatenate([[0], np.cumsum(np.asarray(values.is_valid()))])
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)), values.drop_null()
    )


def _texts(
    table: pa.Table, name: str, absent_values: Sequence[str]
) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Returns a column as text, null where it has no value, and which cells are bad."""
    if name not in table.column_names:
        nothing = np.zeros(table.num_rows, bool)
        return pa.nulls(table.num_rows, pa.string()), nothing
    text = dictionaries.texts(table[name])
    bad = np.append(text.bad, False)[text.codes]
    values = text.values.take(pa.array(text.codes, mask=bad | (text.codes < 0)))
    listed = compute.is_in(values, pa.array(list(absent_values), pa.string()))
    return compute.if_else(listed, pa.scalar(None, pa.string()), values), bad


def _listed(
    table: pa.Table,
    name: str,
    mapping: settings.ItemMapping,
    bad: str,
    reasons: refusals.Reasons,
) -> pa.ListArray:
    """Returns each row's values of a column of lists, sorted and unique.

    Rows with a value that is no text are refused for the reason `bad`.
    """
    num_rows = table.num_rows
    if name not in table.column_names or not column_types.fits(
        table[name].type, column_types.TEXTS
    ):
        return _none(num_rows, pa.binary())
    column = casting.single_array(table[name])
    if column_types.is_list(column.type):
        column = nested.to_list(column)
    else:
        text, is_bad = _texts(table, name, mapping.missing_values)
        reasons.add(bad, is_bad)
        column = compute.split_pattern(text.fill_null(""), mapping.list_separator)
    row = np.asarray(compute.list_parent_indices(column)).astype(np.int64)
    part = pa.table({name: compute.list_flatten(column)})
    flat, is_bad = _texts(part, name, mapping.missing_values)
    reasons.add(bad, np.bincount(row[is_bad], minlength=num_rows) > 0)
    flat = compute.utf8_trim_whitespace(flat)
    present = np.asarray(flat.is_valid()) & np.asarray(
        compute.not_equal(flat, "").fill_null(False)
    )
    encoded = flat.filter(pa.array(present)).dictionary_encode()
    code, names = dictionaries.sort_dictionary(
        np.asarray(encoded.indices), encoded.dictionary.cast(pa.binary())
    )
    # One number per row and category: sorted and unique in one pass.
    key = np.unique(row[present] * max(len(names), 1) + code)
    row, code = np.divmod(key, max(len(names), 1))
    offsets = np.searchsorted(row, np.arange(num_rows + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(code)))


def _created_at(
    table: pa.Table, mapping: settings.ItemMapping, reasons: refusals.Reasons
) -> pa.ListArray:
    name = mapping.columns.created_at
    if name not in table.column_names:
        return _none(table.num_rows, pa.int64())
    column = casting.single_array(table[name])
    if mapping.missing_values and (
        pa.types.is_string(column.type) or pa.types.is_binary(column.type)
    ):
        column, _ = _texts(table, name, mapping.missing_values)
    times = timestamps.milliseconds(column, mapping.created_at_unit)
    reasons.add(items.BAD_CREATED_AT, times.bad)
    absent = times.missing | times.bad
    return _at_most_one(pa.array(times.values, mask=absent))


def _withdrawn(
    table: pa.Table, mapping: settings.ItemMapping, reasons: refusals.Reasons
) -> pa.ListArray:
    name = mapping.columns.withdrawn
    if name not in table.column_names:
        return _none(table.num_rows, pa.int64())
    column = casting.single_array(table[name])
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.string())
    text = dictionaries.texts(column)
    # A whole number, stored as 1.0, reads "1" here.
    truth = [
        _TRUTH.get(word.strip().lower()) if not bad else None
        for word, bad in zip(text.values.to_pylist(), text.bad, strict=True)
    ]
    unknown = np.array([value is None for value in truth] + [False], bool)
    reasons.add(items.BAD_WITHDRAWN, unknown[text.codes])
    return withdrawn_lists(np.array([*map(bool, truth), False])[text.codes])


def withdrawn_lists(is_withdrawn: NDArray[np.bool_]) -> pa.ListArray:
    """Returns the feature `withdrawn` of items, from a mask."""
    return _at_most_one(
        pa.array(np.ones(len(is_withdrawn), np.int64), mask=~is_withdrawn)
    )
