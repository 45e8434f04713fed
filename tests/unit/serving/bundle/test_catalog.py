import json

import pytest

from schema import errors
from serving.bundle import catalog

FULL = catalog.Item("É".encode(), b"c", (b"x", b"y"))


def test_what_is_written_is_read(tmp_path):
    items = {
        b"a": FULL,
        b"gone": catalog.Item(
            is_withdrawn=True, image_url=b"https://i.example/\xc3\xa9"
        ),
        b"lost": catalog.Item(is_withdrawn=True, is_lost=True),
    }

    lines = catalog.lines(items, [b"log", b"a"])
    catalog.write(str(tmp_path), lines)

    assert catalog.read(tmp_path) == {**items, b"log": catalog.Item()}
    assert json.loads(lines[0]) == {
        "item_id": "a",
        "title": "É",
        "creator_id": "c",
        "categories": ["x", "y"],
    }
    assert json.loads(lines[1])["image_url"] == "https://i.example/é"
    assert [json.loads(line)["item_id"] for line in lines] == [
        "a",
        "gone",
        "log",
        "lost",
    ]


def test_what_a_line_lacks_is_unknown(tmp_path):
    path = tmp_path / "assets.extra" / "catalog.jsonl"
    path.parent.mkdir()
    path.write_text('{"item_id": "a"}\n{"item_id": "b", "title": null}\n')

    assert catalog.read(tmp_path) == {b"a": catalog.Item(), b"b": catalog.Item()}


@pytest.mark.parametrize("line", ['{"title": "no id"}', "[]", "{", '{"item_id": 7}'])
def test_a_line_that_is_no_item_is_named(tmp_path, line):
    path = tmp_path / "assets.extra" / "catalog.jsonl"
    path.parent.mkdir()
    path.write_text(f'{{"item_id": "a"}}\n{line}\n')

    with pytest.raises(errors.InputError, match=r"catalog.jsonl, line 2: expected"):
        catalog.read(tmp_path)


def test_a_model_without_catalogue(tmp_path):
    assert catalog.read(tmp_path) == {}
