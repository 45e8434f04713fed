"""Fields of structs as columns, and lists of every layout."""

import pyarrow as pa
import pytest

from components.ingestion import nested

GENRES = [
    [{"id": 1, "name": "Action"}, {"id": 2, "name": "Drama"}],
    None,
    [],
    [None, {"id": 3, "name": None}, {"id": 4, "name": "War"}],
]
NAMES = [["Action", "Drama"], None, [], [None, None, "War"]]
STRUCT = pa.struct([("id", pa.int64()), ("name", pa.string())])


def test_a_column_of_that_very_name_comes_first():
    assert nested.locate("a.b", ["a", "a.b"]) == ("a.b", "")
    assert nested.locate("a.b", ["a"]) == ("a", "b")
    assert nested.locate("a.b.c", ["a.b", "a"]) == ("a.b", "c")
    assert nested.locate("a", ["b"]) == ("a", "")
    assert nested.locate("a.b", ["c"]) == ("a.b", "")


def empty_for_none(lists):
    return [cell or [] for cell in lists]


@pytest.mark.parametrize("kind", [pa.list_(STRUCT), pa.large_list(STRUCT)])
@pytest.mark.parametrize("begin", [0, 1, 3])
def test_the_field_of_a_list_of_structs_is_a_list(kind, begin):
    column = pa.chunked_array([pa.array(GENRES, kind)[begin:], pa.array([], kind)])
    found = nested.pick(column, "name")
    assert found.type == pa.list_(pa.string()) == nested.field_type(kind, "name")
    assert empty_for_none(found.to_pylist()) == empty_for_none(NAMES[begin:])


def test_the_field_of_a_struct():
    column = pa.chunked_array([pa.array([{"id": 1}, None, {"id": 3}], STRUCT)[1:]])
    assert nested.pick(column, "id").to_pylist() == [None, 3]


def test_what_is_no_field():
    assert nested.field_type(STRUCT, "title") is None
    assert nested.field_type(pa.string(), "name") is None
    assert nested.field_type(pa.list_(pa.list_(STRUCT)), "name") is None
    lists = pa.struct([("name", pa.list_(pa.string()))])
    assert nested.field_type(lists, "name") == pa.list_(pa.string())


@pytest.mark.parametrize("begin", [0, 1])
@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_(pa.string(), 2)],
)
def test_lists_of_every_layout(kind, begin):
    cells = [["a", "b"], None, ["c", None]]
    found = nested.to_list(pa.array(cells, kind)[begin:])
    assert found.type == pa.list_(pa.string())
    assert empty_for_none(found.to_pylist()) == empty_for_none(cells[begin:])
