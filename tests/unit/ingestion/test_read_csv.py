"""CSV rows: good ones stay whatever stands beside them."""

import io

import numpy as np
import pytest

from components.ingestion import locations, read_csv, sources

FILE = locations.SourceFile(0, "a.csv", "csv", False)


def read(text, columns=("a", "b"), block_bytes=2**24):
    """Returns (rows with position and raw text, refused rows)."""
    data = text if isinstance(text, bytes) else text.encode()
    rows, refused = [], []
    for block in sources.read_blocks(
        io.BytesIO(data), FILE, None, columns, block_bytes=block_bytes
    ):
        refused += [tuple(row)[:3] for row in block.rejected]
        table = block.table.to_pylist()
        raw = block.raw_rows(np.arange(len(table)))
        for row, position in enumerate(block.position.tolist()):
            cells = tuple(cell.decode() for cell in table[row].values())
            rows.append((position, *cells, raw[row]))
    return rows, refused


@pytest.fixture(params=[1, 20, 2**24], ids=["tiny", "small", "whole"])
def size(request):
    return request.param


def test_plain_rows(size):
    rows, refused = read("a,b\n1,2\n3,4", block_bytes=size)
    assert rows == [(2, "1", "2", "1,2"), (3, "3", "4", "3,4")]
    assert refused == []


def test_columns_in_another_order_and_more_of_them(size):
    rows, _ = read("x,b,a\n9,2,1\n", block_bytes=size)
    assert rows == [(2, "1", "2", "9,2,1")]


def test_a_column_that_is_not_there_is_left_out():
    rows, _ = read("a,x\n1,2\n")
    assert rows == [(2, "1", "1,2")]


def test_a_repeated_name_means_its_first_column():
    rows, _ = read("a,b,a\n1,2,3\n")
    assert rows[0][1:3] == ("1", "2")


def test_rows_of_another_width_are_refused_alone(size):
    rows, refused = read("a,b\n1,2\n3\n4,5,6\n7,8\n", block_bytes=size)
    assert [row[0] for row in rows] == [2, 5]
    assert refused == [(3, "wrong_cell_count", "3"), (4, "wrong_cell_count", "4,5,6")]


def test_blank_lines_are_no_rows_but_count_as_lines(size):
    rows, refused = read("a,b\n\n1,2\n\r\n\n3,4\n\n", block_bytes=size)
    assert [row[0] for row in rows] == [3, 6]
    assert refused == []


def test_windows_line_ends(size):
    rows, _ = read("a,b\r\n1,2\r\n3,4\r\n", block_bytes=size)
    assert rows == [(2, "1", "2", "1,2"), (3, "3", "4", "3,4")]


def test_quotes(size):
    rows, refused = read('a,b\n"1,x","say ""hi"""\n5" tall,2\n', block_bytes=size)
    assert [row[1:3] for row in rows] == [("1,x", 'say "hi"'), ('5" tall', "2")]
    assert refused == []


def test_a_cell_over_several_lines(size):
    rows, refused = read('a,b\n1,"x\ny"\n2,z\n', block_bytes=size)
    assert rows == [(2, "1", "x\ny", '1,"x\ny"'), (4, "2", "z", "2,z")]
    assert refused == []


def test_a_quote_that_never_closes_takes_only_its_line(size):
    rows, refused = read('a,b\n1,2\n3,"4\n5,6\n7,8\n', block_bytes=size)
    assert [row[0] for row in rows] == [2, 4, 5]
    assert [row[:2] for row in refused] == [(3, "bad_csv")]


def test_a_quote_that_closes_lines_later_takes_only_its_line(size):
    rows, refused = read('a,b\n1,"2\n3,4\n5,"6"\n7,8\n', block_bytes=size)
    # Joined, lines 2 to 4 would be one row with another number of cells.
    assert [row[0] for row in rows] == [3, 4, 5]
    assert [row[0] for row in refused] == [2]


def test_a_null_byte_and_a_lone_carriage_return(size):
    rows, refused = read("a,b\n1,2\n3\0,4\n5\r,6\n7,8\n", block_bytes=size)
    assert [row[0] for row in rows] == [2, 5]
    assert [row[:2] for row in refused] == [(3, "bad_csv"), (4, "bad_csv")]


def test_bytes_that_are_no_utf8_pass_to_the_mapping(size):
    data = b"a,b\n\xff,2\n1\n"
    blocks = list(
        sources.read_blocks(io.BytesIO(data), FILE, None, ["a"], block_bytes=size)
    )
    good = [block.table["a"].to_pylist() for block in blocks if block.table.num_rows]
    cells = [cell for column in good for cell in column]
    assert cells == [b"\xff"]


def test_a_very_long_cell():
    long = "x" * 300_000
    rows, refused = read(f"a,b\n1,{long}\n3\n")
    assert rows[0][2] == long
    assert len(refused) == 1


def test_a_header_alone_and_nothing_at_all():
    assert read("a,b\n") == ([], [])
    assert read("") == ([], [])


def test_utf_16_with_a_mark(size):
    rows, refused = read("a,b\nx,é\n".encode("utf-16"), block_bytes=size)
    assert [row[:3] for row in rows] == [(2, "x", "é")]
    assert refused == []


@pytest.mark.parametrize("text", ["a,b\r1,2\r", "a\0,b\n", "\na,b\n", "# x\na,b\n"])
def test_a_first_line_that_is_no_header(text):
    with pytest.raises(read_csv.HeaderError):
        read(text)


def test_characters_that_only_look_like_line_ends(size):
    rows, refused = read("a,b\n1\u2028x,2\x0b\x1c\n3\n", block_bytes=size)
    assert [row[1:3] for row in rows] == [("1\u2028x", "2\x0b\x1c")]
    assert [row[0] for row in refused] == [3]


def test_bad_lines_leave_the_rest_of_a_block_to_the_fast_pass(monkeypatch):
    parsed = []
    parse = read_csv._BlockReader._parse

    def counting(self, row, strict=False):
        parsed.append(row)
        return parse(self, row, strict)

    monkeypatch.setattr(read_csv._BlockReader, "_parse", counting)
    lines = ['"x",1'] * 5_000
    for number, bad in ((7, "3"), (700, "1,2,3"), (1_000, "a\0,1"), (3_000, '"4,5')):
        lines[number] = bad
    lines[10] = ""
    lines[4_000:4_002] = ['1,"two', 'lines"']
    rows, refused = read("a,b\n" + "\n".join(lines) + "\n")
    assert len(rows) == 5_000 - 4 - 1 - 1
    assert [row[0] for row in refused] == [9, 702, 1_002, 3_002]
    assert len(parsed) < 20
