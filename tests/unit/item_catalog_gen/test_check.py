"""The checks of a catalogue before anything runs."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.item_catalog_gen import check
from schema import errors, settings

EVENTS = settings.EventMapping()


def run(item_mapping=None, **data):
    check.check_source(
        settings.DataSettings(**{name: str(path) for name, path in data.items()}),
        item_mapping or settings.ItemMapping(),
        EVENTS,
    )


def test_a_catalogue_with_ids_alone_is_enough(tmp_path):
    (tmp_path / "items.csv").write_text("item_id\n1\n")
    run(items=tmp_path / "items.csv", events="nowhere")


def test_a_column_named_by_hand_must_be_there(tmp_path):
    (tmp_path / "items.csv").write_text("item_id\n1\n")
    columns = settings.ItemColumns(categories="genres")
    with pytest.raises(errors.InputError, match="no column 'genres'"):
        run(settings.ItemMapping(columns=columns), items=tmp_path / "items.csv")


def test_a_missing_catalogue_names_its_key():
    with pytest.raises(errors.InputError, match=r"`data\.items`"):
        run(items="nowhere.csv")


def test_without_a_catalogue_the_log_is_looked_at(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id\n")
    run(events=tmp_path / "log.csv")
    (tmp_path / "log.csv").write_text("user_id,item\n")
    with pytest.raises(errors.InputError, match="'item_id'"):
        run(events=tmp_path / "log.csv")


STRUCT = pa.struct([("id", pa.int64()), ("name", pa.string())])
MAP = pa.map_(pa.string(), pa.int64())


@pytest.mark.parametrize(
    ("column", "kind", "said"),
    [
        ("categories", MAP, "map<string, int64.*text, whole numbers, or a list"),
        ("categories", STRUCT, r"struct<.*`?categories\.id, categories\.name"),
        ("categories", pa.list_(STRUCT), r"list<.*categories\.id, categories\.name"),
        ("categories", pa.list_(pa.list_(pa.string())), r"list<\w+: list<\w+: string"),
        ("categories", pa.list_(pa.bool_()), r"list<\w+: bool>"),
        ("categories", pa.bool_(), "bool"),
        ("title", pa.list_(pa.string()), "list<.*expected text or whole numbers"),
        ("creator_id", pa.list_(pa.string()), "list<.*expected text or whole numbers"),
        ("creator_id", pa.binary(8), r"fixed_size_binary\[8\]"),
        ("created_at", pa.bool_(), "bool.*expected times"),
        ("withdrawn", STRUCT, "struct<.*truth values"),
        ("item_id", pa.duration("s"), r"duration\[s\].*text or whole numbers"),
    ],
    ids=str,
)
def test_a_column_of_a_type_that_it_cannot_be_read_as(tmp_path, column, kind, said):
    columns = {"item_id": pa.array(["i", "j"]), column: pa.nulls(2, kind)}
    parquet.write_table(pa.table(columns), tmp_path / "items.parquet")
    with pytest.raises(errors.InputError, match=f"items.parquet: .*{column}.*{said}"):
        run(items=tmp_path / "items.parquet")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("item_id", pa.decimal128(38, 0)),
        ("creator_id", pa.binary(16)),
        ("categories", pa.list_(pa.string(), 2)),
        ("categories", pa.large_list(pa.int8())),
        ("categories", pa.string()),
        ("created_at", pa.date32()),
        ("created_at", pa.timestamp("ns", "Asia/Tokyo")),
        ("withdrawn", pa.bool_()),
        ("title", pa.large_string()),
    ],
    ids=str,
)
def test_a_column_of_a_type_that_it_can_be_read_as(tmp_path, column, kind):
    columns = {"item_id": pa.array(["i", "j"]), column: pa.nulls(2, kind)}
    parquet.write_table(pa.table(columns), tmp_path / "items.parquet")
    run(items=tmp_path / "items.parquet")


def test_a_field_of_a_struct_is_a_column(tmp_path):
    genres = pa.nulls(1, pa.list_(STRUCT))
    table = pa.table({"item_id": ["i"], "genres": genres})
    parquet.write_table(table, tmp_path / "items.parquet")
    (tmp_path / "items.jsonl").write_text('{"item_id": 1, "genres": [{"name": "A"}]}\n')
    for name in ("items.parquet", "items.jsonl"):
        for column in ("genres.name", "genres.id"):
            columns = settings.ItemColumns(categories=column)
            run(settings.ItemMapping(columns=columns), items=tmp_path / name)
    columns = settings.ItemColumns(categories="genres.title")
    with pytest.raises(errors.InputError, match=r"no column 'genres\.title'"):
        run(settings.ItemMapping(columns=columns), items=tmp_path / "items.parquet")


def test_the_same_column_twice(tmp_path):
    columns = [pa.array(["i"]), pa.array(["a"]), pa.array(["b"])]
    table = pa.Table.from_arrays(columns, ["item_id", "title", "title"])
    parquet.write_table(table, tmp_path / "items.parquet")
    (tmp_path / "items.csv").write_text("item_id,title,title\ni,a,b\n")
    for name in ("items.parquet", "items.csv"):
        with pytest.raises(errors.InputError, match=f"{name} has 2 columns 'title'"):
            run(items=tmp_path / name)
