"""Parquet row groups: units of work, positions, and damage."""

import base64
import io
import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from components.ingestion import dictionaries, read_parquet

ROWS = 100


def written(group_rows=30, **options) -> io.BytesIO:
    table = pa.table(
        {
            "user_id": [f"u{n % 7}" for n in range(ROWS)],
            "item_id": list(range(ROWS)),
            "other": ["x"] * ROWS,
        }
    )
    sink = io.BytesIO()
    parquet.write_table(table, sink, row_group_size=group_rows, **options)
    return sink


def read(stream, unit=None, **options):
    """Returns (position, user, item) of the rows, and the refusals."""
    rows, refused = [], []
    for block in read_parquet.read_blocks(
        stream, unit, ["item_id", "user_id", "absent"], **options
    ):
        refused += block.rejected
        if not block.table.num_rows:
            continue
        assert block.table.column_names == ["item_id", "user_id"]
        users = dictionaries.texts(block.table["user_id"])
        values = users.values.to_pylist()
        rows += zip(
            block.position.tolist(),
            [values[code] for code in users.codes],
            block.table["item_id"].to_pylist(),
            strict=True,
        )
    return rows, refused


EXPECTED = [(n, f"u{n % 7}", n) for n in range(ROWS)]


@pytest.mark.parametrize("group_rows", [1, 30, 100, 1_000])
@pytest.mark.parametrize("batch_rows", [1, 7, 50, 1_000])
@pytest.mark.parametrize("dictionary_columns", [(), ("user_id", "item_id", "absent")])
def test_every_row_once_at_its_place(group_rows, batch_rows, dictionary_columns):
    stream = written(group_rows)
    rows, refused = read(
        stream, batch_rows=batch_rows, dictionary_columns=dictionary_columns
    )
    assert rows == EXPECTED
    assert refused == []


@pytest.mark.parametrize("unit_rows", [1, 31, 60, 1_000])
def test_units_are_the_file_in_pieces(unit_rows):
    stream = written()
    units = read_parquet.units(read_parquet.open_file(stream), unit_rows)
    found = [row for unit in units for row in read(stream, unit)[0]]
    assert found == EXPECTED
    assert [unit.first_row for unit in units] == {
        1: [0, 30, 60, 90],
        31: [0, 60],
        60: [0, 60],
        1_000: [0],
    }[unit_rows]


def test_a_raw_row_is_its_columns_as_json():
    (block,) = read_parquet.read_blocks(written(), None, ["item_id", "user_id"])
    texts = block.raw_rows(np.array([2, 99]))
    assert [json.loads(text) for text in texts] == [
        {"item_id": 2, "user_id": "u2"},
        {"item_id": 99, "user_id": "u1"},
    ]


def test_a_file_without_footer_is_one_refusal():
    data = written().getvalue()[:-50]
    rows, refused = read(io.BytesIO(data))
    assert rows == []
    assert [(row.reason, row.rows) for row in refused] == [("truncated_file", 1)]


def test_a_damaged_group_is_refused_with_its_number_of_rows():
    stream = written(compression="none", use_dictionary=False)
    file = read_parquet.open_file(stream)
    chunk = file.metadata.row_group(1).column(0)
    data = bytearray(stream.getvalue())
    begin = chunk.data_page_offset
    data[begin : begin + chunk.total_compressed_size] = b"\xff" * (
        chunk.total_compressed_size
    )
    rows, refused = read(io.BytesIO(bytes(data)))
    assert rows == EXPECTED[:30] + EXPECTED[60:]
    assert [(row.position, row.reason, row.rows) for row in refused] == [
        (30, "truncated_file", 30)
    ]


def test_a_file_without_rows():
    sink = io.BytesIO()
    parquet.write_table(pa.table({"item_id": pa.array([], pa.string())}), sink)
    assert read(sink) == ([], [])
    assert read_parquet.units(read_parquet.open_file(sink)) == []


def columns_of(stream, names):
    (block,) = read_parquet.read_blocks(stream, None, names)
    return block.table.to_pydict()


def test_lists_of_a_fixed_size_with_null_among_them():
    # Arrow reads its own file with an error: all lists are expected to be of size 2.
    pairs = pa.array([["a", "b"], ["c", None], None], pa.list_(pa.string(), 2))
    sink = io.BytesIO()
    parquet.write_table(pa.table({"pair": pairs, "n": [1, 2, 3]}), sink)
    assert columns_of(sink, ["pair", "n"]) == {
        "pair": [["a", "b"], ["c", None], None],
        "n": [1, 2, 3],
    }


def test_arrow_types_that_this_version_does_not_know():
    # What a newer writer leaves: another number where text has 5.
    table = pa.table({"user_id": ["u", "v"], "other": [1, 2]})
    message = table.schema.serialize().to_pybytes()
    written_with = []
    for at in [i for i, byte in enumerate(message) if byte == 5]:
        patched = message[:at] + b"\x70" + message[at + 1 :]
        try:
            pa.ipc.read_schema(pa.py_buffer(patched))
        except (pa.ArrowException, OSError) as error:
            if "Unrecognized type" in str(error):
                written_with.append(patched)
    (patched,) = written_with
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    known, newer = base64.b64encode(message), base64.b64encode(patched)
    assert sink.getvalue().count(known) == 1
    sink = io.BytesIO(sink.getvalue().replace(known, newer))
    with pytest.raises(pa.ArrowException):
        parquet.ParquetFile(sink)
    assert columns_of(sink, ["user_id"]) == {"user_id": ["u", "v"]}


def test_fields_of_structs_are_columns():
    genres = [[{"id": 1, "name": "Action"}], None, [{"id": 2, "name": "War"}]]
    table = pa.table(
        {"genres": genres, "of": [{"name": "x"}, None, {"name": "z"}], "a.b": [1, 2, 3]}
    )
    sink = io.BytesIO()
    parquet.write_table(table, sink, row_group_size=2)
    names = ["of.name", "genres.name", "a.b", "of.title", "genres.id"]
    for unit in (None, read_parquet.RowGroups(0, 2, 0)):
        found = [
            block.table.to_pydict()
            for block in read_parquet.read_blocks(sink, unit, names)
        ]
        rows = {
            name: [cell for part in found for cell in part[name]] for name in found[0]
        }
        assert rows == {
            "of.name": ["x", None, "z"],
            "genres.name": [["Action"], [], ["War"]],
            "a.b": [1, 2, 3],
            "genres.id": [[1], [], [2]],
        }
