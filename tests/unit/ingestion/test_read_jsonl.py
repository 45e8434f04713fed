"""JSON Lines: one object a line, good ones stay whatever stands beside them."""

import io
import json

import pytest

from components.ingestion import casting, dictionaries, json_rows, locations, sources

FILE = locations.SourceFile(0, "a.jsonl", "jsonl", False)


def read(lines, columns=("a", "t"), block_bytes=2**24, lists=()):
    data = b"".join(
        (line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines
    )
    rows, refused = [], []
    for block in sources.read_blocks(
        io.BytesIO(data), FILE, None, columns, lists, block_bytes=block_bytes
    ):
        refused += [tuple(row)[:2] for row in block.rejected]
        if not block.table.num_rows:
            continue
        columns_as_text = []
        for name in columns:
            column = block.table[name]
            if name in lists:
                columns_as_text.append(column.to_pylist())
                continue
            text = dictionaries.texts(column)
            values = text.values.to_pylist()
            columns_as_text.append(
                [
                    None if code < 0 else "bad" if text.bad[code] else values[code]
                    for code in text.codes
                ]
            )
        rows += list(zip(block.position.tolist(), *columns_as_text, strict=True))
    # Lines of other types come in blocks of their own.
    return sorted(rows, key=lambda row: row[0]), refused


@pytest.fixture(params=[1, 30, 2**24], ids=["tiny", "small", "whole"])
def size(request):
    return request.param


def test_plain_rows(size):
    rows, refused = read(
        ['{"a":"x","t":1}', '{"t":2,"a":"y","z":[1]}'], block_bytes=size
    )
    assert rows == [(1, "x", "1"), (2, "y", "2")]
    assert refused == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "bad_json"),
        ("not json", "bad_json"),
        ("[1]", "bad_json"),
        ("3", "bad_json"),
        ('{"a":"x","t":1}{"a":"y","t":2}', "bad_json"),
        (b'{"a":"\xff","t":1}', "bad_utf8"),
        (r'{"a":"\ud800","t":1}', "bad_utf8"),
        ('{"a":["x"],"t":1}', "bad_type"),
        ('{"a":{"b":1},"t":1}', "bad_type"),
        ("[" * 100_000, "bad_json"),
    ],
)
def test_a_bad_line_between_good_ones(line, reason, size):
    lines = ['{"a":"x","t":1}', line, '{"a":"y","t":2}']
    rows, refused = read(lines, block_bytes=size)
    assert rows == [(1, "x", "1"), (3, "y", "2")]
    assert refused == [(2, reason)]


def test_missing_and_null_keys(size):
    rows, refused = read(['{"a":"x"}', '{"a":null,"t":3}', "{}"], block_bytes=size)
    assert rows == [(1, "x", None), (2, None, "3"), (3, None, None)]
    assert refused == []


def test_ids_of_mixed_kinds_are_texts(size):
    rows, _ = read(['{"a":7,"t":"5"}', '{"a":"x","t":5}'], block_bytes=size)
    assert rows == [(1, "7", "5"), (2, "x", "5")]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("7", "7"),
        ("7.0", "7"),
        ("7e0", "7"),
        ('"7.0"', "7.0"),
        ('"7"', "7"),
        ("7.5", "bad"),
        ('"7.5"', "7.5"),
        ("-0.0", "0"),
        ("9007199254740993", "9007199254740993"),
        ("9223372036854775808", "9223372036854775808"),
        ("1e20", "bad"),
        ("true", "bad"),
        ("null", None),
    ],
)
@pytest.mark.parametrize("neighbour", ["7", "8.0", "8.5", '"x"', "true", "null", "{"])
@pytest.mark.parametrize("num", [1, 450])
def test_an_id_never_depends_on_another(cell, expected, neighbour, num):
    lines = [f'{{"a":{neighbour},"t":1}}'] * num + [f'{{"a":{cell},"t":1}}'] * 40
    rows, _ = read(lines)
    assert [row[1] for row in rows[-40:]] == [expected] * 40


def test_whole_numbers_before_numbers_with_a_point_are_read_at_once(monkeypatch):
    monkeypatch.setattr(json_rows, "read_lines", lambda *_: pytest.fail("one by one"))
    lines = ['{"a":7,"t":1}'] * 512 + ['{"a":7.0,"t":1}'] * 512
    rows, _ = read(lines)
    assert {row[1] for row in rows} == {"7"}


@pytest.mark.parametrize("neighbour", ['["x"]', '"x"', "[1.5]", "[1]", "[]", "null"])
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('["a","b"]', ["a", "b"]),
        ('"a|b"', "a|b"),
        ("[1, 2]", [1, 2]),
        ("[1.0, 2.5]", [1.0, 2.5]),
        ('["a", 7.0, 7, null]', ["a", "7", "7"]),
        ("[9007199254740993, 0.0]", ["9007199254740993", "0"]),
        ("[]", []),
    ],
)
def test_a_list_never_depends_on_another(cell, expected, neighbour):
    lines = [f'{{"a":"x","t":{neighbour}}}'] * 300 + [f'{{"a":"y","t":{cell}}}'] * 3
    data = "\n".join(lines).encode()
    found = []
    for block in sources.read_blocks(io.BytesIO(data), FILE, None, ["a", "t"], ["t"]):
        cells = zip(block.position, block.table["t"].to_pylist(), strict=True)
        found += [(int(line), cell) for line, cell in cells if line > 300]
    assert sorted(found) == [(line, expected) for line in (301, 302, 303)]


@pytest.mark.parametrize("cell", ["[[1]]", '[{"id":1}]', "[true]", '["a",7.5]', "{}"])
def test_a_list_of_what_is_neither_text_nor_number(cell, size):
    lines = ['{"a":"x","t":["p"]}', f'{{"a":"y","t":{cell}}}']
    rows, refused = read(lines, block_bytes=size, lists=("t",))
    assert rows == [(1, "x", ["p"])]
    assert refused == [(2, "bad_type")]


def test_text_that_looks_like_a_date_stays_text():
    rows, _ = read(['{"a":"2024-01-01","t":1}', '{"a":"2024-01-02","t":1}'])
    assert [row[1] for row in rows] == ["2024-01-01", "2024-01-02"]


def test_blank_lines_count_as_lines(size):
    rows, refused = read(
        ["", '{"a":"x","t":1}', "  ", '{"a":"y","t":1}'], block_bytes=size
    )
    assert [row[0] for row in rows] == [2, 4]
    assert refused == []


@pytest.mark.parametrize("as_text", [False, True])
def test_lists(size, as_text):
    lines = ['{"a":"x","t":["p","q"]}', '{"a":"y"}', '{"a":"z","t":[]}']
    if as_text:
        lines.append('{"a":"w","t":"solo"}')
    rows, refused = read(lines, block_bytes=size, lists=("t",))
    assert [row[2] for row in rows][:3] == [["p", "q"], None, []]
    # The mapping cuts a text at its separator, a list never.
    assert not as_text or rows[3][2] == "solo"
    assert refused == []


def test_no_number_is_changed_on_the_way():
    numbers = [0.1, 1e-7, 123456789.125, 5]
    lines = [json.dumps({"a": "x", "t": number}) for number in numbers]
    for extra in ([], ['{"a":"x","t":"text"}']):
        data = "\n".join([*lines, *extra]).encode()
        found = []
        for block in sources.read_blocks(io.BytesIO(data), FILE, None, ["t"]):
            found += casting.floats(block.table["t"]).values.tolist()
        assert found[:4] == numbers


def test_a_clean_block_is_read_at_once_however_many_rows_it_has():
    # Line by line every cell would be text.
    rows = 150_000
    data = b'{"a":"x","t":1}\n' * rows
    (block,) = sources.read_blocks(io.BytesIO(data), FILE, None, ["a", "t"])
    assert block.table.num_rows == rows
    assert str(block.table.schema.field("t").type) == "int64"


def test_one_bad_line_leaves_the_rest_of_a_block_to_the_fast_pass(monkeypatch):
    seen = []
    by_line = json_rows.read_lines

    def counting(index, schema, lists, begin, end):
        seen.append(end - begin)
        return by_line(index, schema, lists, begin, end)

    monkeypatch.setattr(json_rows, "read_lines", counting)
    lines = ['{"a":"x","t":1}'] * 5_000
    lines[3_000] = "{"
    rows, refused = read(lines)
    assert (len(rows), refused) == (4_999, [(3_001, "bad_json")])
    assert sum(seen) < 100
