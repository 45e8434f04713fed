"""A line without an end, and a gzip file of one: refused, and memory is bounded."""

import gzip
import io
import random
import tracemalloc

import pytest

from components.event_example_gen import check
from components.ingestion import check_columns, locations, sources, text_blocks
from schema import errors, settings

LIMITS = text_blocks.Limits(max_line_bytes=20, max_gzip_ratio=500)
CSV = locations.SourceFile(0, "a.csv", "csv", False)
JSON = locations.SourceFile(0, "a.jsonl", "jsonl", False)


def lines_of(data, size, compressed=False, limits=LIMITS):
    pieces = text_blocks.content(io.BytesIO(data), compressed, size, limits)
    return text_blocks.LineBlocks(pieces, size, limits)


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("seed", range(5))
def test_long_lines_become_a_zero_byte_and_the_others_stay(size, seed):
    rnd = random.Random(seed)
    given = [b"x" * rnd.choice((0, 1, 19, 20, 21, 22, 90)) for _ in range(60)]
    ending = rnd.choice((b"", b"\n"))
    if given[-1] == b"":
        given[-1] = b"y"
    expected = [b"\0" if len(line) > 20 else line for line in given]

    found = lines_of(b"\n".join(given) + ending, size)

    numbered = []
    for block in found:
        texts = block.data.split(b"\n")
        texts = texts[:-1] if block.data.endswith(b"\n") else texts
        numbered += list(enumerate(texts, block.first_line))
    assert numbered == list(enumerate(expected, 1))
    assert list(found.too_long) == [
        number for number, line in enumerate(given, 1) if len(line) > 20
    ]


def test_what_is_handed_back_keeps_its_number():
    found = lines_of(b"one\ntwo\n" + b"x" * 30 + b"\nfour\n", 8)
    for block in found:
        if block.data.endswith(b"two\n"):
            found.carry_over(b"two\n", 1)
    assert list(found.too_long) == [3]


def read(data, file, columns, size):
    rows, refused = [], []
    for block in sources.read_blocks(
        io.BytesIO(data), file, None, columns, block_bytes=size, limits=LIMITS
    ):
        refused += [tuple(row)[:3] for row in block.rejected]
        rows += block.position.tolist()
    return rows, refused


@pytest.mark.parametrize("size", [1, 25, 2**24])
@pytest.mark.parametrize("ending", [b"\n", b""])
@pytest.mark.parametrize(
    ("head", "good", "file", "first"),
    [(b"a,b\n", b"1,2\n", CSV, 2), (b"", b'{"a": 1, "b": 2}\n', JSON, 1)],
)
def test_neighbours_stay(size, ending, head, good, file, first):
    long = b'1,"' + b"z" * 50
    rows, refused = read(head + good + long + b"\n" + good, file, ["a", "b"], size)
    assert rows == [first, first + 2]
    reason = "longer than `data.max_line_bytes` = 20; it begins " + long[:20].decode()
    assert refused == [(first + 1, "line_too_long", reason)]
    rows, refused = read(head + good + long + ending, file, ["a", "b"], size)
    assert rows == [first]
    assert [row[:2] for row in refused] == [(first + 1, "line_too_long")]


@pytest.mark.parametrize("size", [1, 25, 2**24])
def test_a_long_line_within_a_cell_refuses_the_row(size):
    text = b'a,b\n1,"x\n' + b"y" * 50 + b'\nz"\n3,4\n'
    rows, refused = read(text, CSV, ["a", "b"], size)
    assert rows == [5]
    assert [row[0] for row in refused] == [2, 3, 4]
    assert refused[1][1] == "line_too_long"


def test_a_gzip_file_of_one_endless_line_is_given_up():
    """100 MB of it are 400 kB of file; it ends after 64 MiB."""
    stream = io.BytesIO(gzip.compress(b"x" * 100_000_000, 1))
    limits = text_blocks.Limits(1_000_000, 100)
    tracemalloc.start()
    (block,) = sources.read_blocks(
        stream,
        locations.SourceFile(0, "a.jsonl.gz", "jsonl", True),
        None,
        ["a"],
        limits=limits,
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [row[:2] for row in block.rejected] == [(1, "line_too_long")]
    assert block.table.num_rows == 0
    assert peak < 80_000_000


def test_a_gzip_file_that_grows_beyond_measure_gives_what_comes_before():
    data = b"line\n" * 1_000 + b"\n" * 80_000_000
    found = lines_of(
        gzip.compress(data, 1), 2**24, True, LIMITS._replace(max_gzip_ratio=9)
    )
    first = next(iter(found))
    assert first.data.startswith(b"line\n" * 1_000)
    for _ in found:
        pass
    assert str(found.damage) == "it grows by more than `data.max_gzip_ratio` = 9 times"


def test_an_honest_file_may_shrink_a_lot():
    data = b'{"user_id": "u1", "item_id": "i1", "action": "view"}\n' * 200_000
    found = lines_of(gzip.compress(data), 2**24, True, text_blocks.DEFAULT_LIMITS)
    assert sum(len(block.data) for block in found) == len(data)
    assert found.damage is None


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        ("a.csv", "the first line", "the names of the columns"),
        ("a.jsonl", "line 1", "an object on each line"),
    ],
)
def test_the_check_before_a_run_names_file_line_and_limit(
    tmp_path, name, place, expected, compressed
):
    path = tmp_path / (f"{name}.gz" if compressed else name)
    data = b"x" * 100_000
    path.write_bytes(gzip.compress(data) if compressed else data)
    given = settings.DataSettings(events=str(path), max_line_bytes=70_000)
    with pytest.raises(errors.InputError) as error:
        check.check_source(given, settings.EventMapping(), settings.FeedbackSettings())
    assert str(error.value).startswith(
        f"{path}: {place} is longer than `data.max_line_bytes` = 70000; it begins xxx"
    )
    assert f"expected {expected}" in str(error.value)


def test_a_long_first_line_of_json_hides_no_keys(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * 30 + b'\n{"a": 1}\n')
    file = locations.SourceFile(0, str(path), "jsonl", False)
    found = check_columns.columns_of(file, LIMITS)
    assert [column.name for column in found] == ["a"]
