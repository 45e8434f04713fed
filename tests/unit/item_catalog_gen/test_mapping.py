"""Foreign catalogue rows become canonical items."""

import decimal

import pyarrow as pa
import pytest

from components.item_catalog_gen import mapping
from schema import errors, settings


def items(columns, item_mapping=None, declared=None, **kinds):
    raw = pa.table(
        {name: pa.array(cells, kinds.get(name)) for name, cells in columns.items()}
    )
    table, refused = mapping.to_items(
        raw, item_mapping or settings.ItemMapping(), declared or {}
    )
    reasons = [refused.of(i) for i in range(raw.num_rows)]
    return table.to_pydict(), reasons


def test_a_row_with_everything():
    found, reasons = items(
        {
            "item_id": ["i"],
            "creator_id": ["c"],
            "categories": ["b|a|b"],
            "title": ["T"],
            "image_url": ["https://img.example/i.jpg"],
            "created_at": ["5"],
            "withdrawn": ["1"],
        }
    )
    assert reasons == [""]
    assert found == {
        "item_id": [[b"i"]],
        "creator_id": [[b"c"]],
        "categories": [[b"a", b"b"]],
        "title": [[b"T"]],
        "image_url": [[b"https://img.example/i.jpg"]],
        "attributes": [[]],
        "created_at": [[5]],
        "withdrawn": [[1]],
    }


def test_columns_that_are_not_there_are_empty():
    found, reasons = items({"item_id": ["i", "j"]})
    assert reasons == ["", ""]
    for name in ("creator_id", "categories", "title", "image_url", "created_at"):
        assert found[name] == [[], []]
    assert found["withdrawn"] == [[], []]


def test_cells_without_a_value():
    found, reasons = items(
        {
            "item_id": ["i", "j", "N/A"],
            "creator_id": ["", None, "N/A"],
            "categories": ["", "| |", "N/A|x"],
            "title": [" ", "N/A", "t"],
            "created_at": ["", None, "N/A"],
        },
        settings.ItemMapping(missing_values=("N/A",)),
    )
    assert reasons == ["", "", "missing_item_id"]
    assert found["creator_id"] == [[], [], []]
    assert found["categories"] == [[], [], [b"x"]]
    assert found["title"] == [[], [], [b"t"]]
    assert found["created_at"] == [[], [], []]


def test_lists_as_parquet_and_json_hold_them():
    found, _ = items(
        {"item_id": ["i", "j", "k"], "categories": [["b", "a|c", None, "b"], None, []]},
        categories=pa.list_(pa.string()),
    )
    assert found["categories"] == [[b"a|c", b"b"], [], []]


def test_lists_of_numbers_and_large_lists():
    for kind in (
        pa.list_(pa.int64()),
        pa.large_list(pa.int32()),
        pa.list_(pa.int8(), 2),
    ):
        found, _ = items({"item_id": ["i"], "categories": [[10, 9]]}, categories=kind)
        assert found["categories"] == [[b"10", b"9"]]


def test_another_separator():
    found, _ = items(
        {"item_id": ["i"], "categories": ["x, y,x"]},
        settings.ItemMapping(list_separator=","),
    )
    assert found["categories"] == [[b"x", b"y"]]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"item_id": ""}, "missing_item_id"),
        ({"item_id": None}, "missing_item_id"),
        ({"item_id": "a\nb"}, "newline_in_item_id"),
        ({"created_at": "soon"}, "bad_created_at"),
        ({"withdrawn": "maybe"}, "bad_withdrawn"),
        ({"withdrawn": "2"}, "bad_withdrawn"),
        ({"created_at": "-1000"}, ""),
    ],
)
def test_reasons(cells, reason):
    good = {"item_id": "i", "created_at": "1", "withdrawn": "0"}
    rows = [good, {**good, **cells}, good]
    _, reasons = items({name: [row[name] for row in rows] for name in good})
    assert reasons == ["", reason, ""]


def test_creation_times_in_seconds():
    found, _ = items(
        {"item_id": ["i", "j"], "created_at": [2.5, None]},
        settings.ItemMapping(created_at_unit="s"),
    )
    assert found["created_at"] == [[2_500], []]


def test_only_columns_named_by_hand_must_be_there():
    assert mapping.required_columns(settings.ItemMapping(), {}) == ["item_id"]
    columns = settings.ItemColumns(item_id="movieId", categories="genres", title="")
    named = settings.ItemMapping(columns=columns)
    assert mapping.required_columns(named, {}) == ["movieId", "genres"]
    pictured = settings.ItemMapping(columns=settings.ItemColumns(image_url="poster"))
    assert mapping.required_columns(pictured, {}) == ["item_id", "poster"]
    nothing = settings.ItemMapping(columns=settings.ItemColumns(item_id=""))
    with pytest.raises(errors.InputError, match="item_id"):
        mapping.required_columns(nothing, {})


DECLARED = {
    "year": settings.ItemFeature(column="released", edges=(1980.0, 2000.0)),
    "language": settings.ItemFeature(),
}


def test_declared_features_are_named_values():
    found, reasons = items(
        {
            "item_id": ["i", "j", "k", "l"],
            "released": ["1979.9", "1980", "2000", None],
            "language": ["en|de|en", "fr", "", None],
        },
        declared=DECLARED,
    )

    assert reasons == [""] * 4
    assert found["attributes"] == [
        [b"language=de", b"language=en", b"year=0"],
        [b"language=fr", b"year=1"],
        [b"year=2"],
        [],
    ]


def test_a_declared_number_that_is_none_refuses_the_row():
    found, reasons = items(
        {"item_id": ["i", "j"], "released": ["MCMLXXX", "1990"], "language": ["", ""]},
        declared=DECLARED,
    )

    assert reasons == ["bad_item_feature", ""]
    assert found["attributes"][1] == [b"year=1"]


def test_columns_of_declared_features_must_be_there():
    needed = mapping.required_columns(settings.ItemMapping(), DECLARED)

    assert needed == ["item_id", "released", "language"]
    uses = mapping.column_uses(settings.ItemMapping(), DECLARED)
    assert uses[-2:] == [("released", "number"), ("language", "texts")]


def decimals(*cells):
    return [None if cell is None else decimal.Decimal(cell) for cell in cells]


def test_decimals_are_read_as_numbers_are():
    number = pa.decimal128(38, 10)
    found, reasons = items(
        {
            "item_id": decimals("7", "8", "9", "7.5"),
            "creator_id": decimals("1", None, "1.5", "1"),
            "categories": [decimals("10", "9"), None, [], []],
        },
        item_id=number,
        creator_id=number,
        categories=pa.list_(number),
    )
    assert reasons == ["", "", "bad_creator_id", "bad_item_id"]
    assert found["item_id"][:2] == [[b"7"], [b"8"]]
    assert found["creator_id"][:2] == [[b"1"], []]
    assert found["categories"][0] == [b"10", b"9"]


@pytest.mark.parametrize(
    ("column", "cells", "reason"),
    [
        ("creator_id", [b"\xff", b"c"], "bad_creator_id"),
        ("title", [1.5, 2.0], "bad_title"),
        ("categories", [1.5, 2.0], "bad_categories"),
        ("categories", [[1.0, 1.5], [2.0]], "bad_categories"),
        ("language", [[b"\xff"], [b"en"]], "bad_item_feature"),
        ("title", [["a"], None], "bad_type"),
        ("creator_id", [True, None], "bad_type"),
        ("categories", [[True], None], "bad_type"),
        ("categories", [[["a"]], None], "bad_type"),
        ("categories", [[{"id": 1}], None], "bad_type"),
        ("categories", [{"id": 1}, None], "bad_type"),
        ("language", [False, None], "bad_type"),
    ],
)
def test_what_cannot_be_read_refuses_its_row_alone(column, cells, reason):
    _, reasons = items(
        {"item_id": ["i", "j"], column: cells},
        declared={"language": settings.ItemFeature()} if column == "language" else {},
    )
    assert reasons == [reason, ""]


def test_categories_as_a_map():
    kind = pa.map_(pa.string(), pa.int64())
    columns = {"item_id": ["i", "j"], "categories": [[("a", 1)], None]}
    found, reasons = items(columns, categories=kind)
    assert reasons == ["bad_type", ""]
    assert found["categories"] == [[], []]


def test_truth_values_say_what_is_withdrawn():
    found, reasons = items(
        {"item_id": ["i", "j", "k"], "withdrawn": [True, False, None]}
    )
    assert reasons == ["", "", ""]
    assert found["withdrawn"] == [[1], [], []]


def test_creation_times_as_iso_8601():
    found, reasons = items(
        {"item_id": ["i", "j"], "created_at": ["1970-01-01T00:00:02.5Z", "today"]},
        settings.ItemMapping(created_at_unit="iso8601"),
    )
    assert reasons == ["", "bad_created_at"]
    assert found["created_at"][0] == [2_500]
