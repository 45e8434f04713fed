"""Whole lines in blocks, and what a damaged gzip file still gives."""

import gzip
import io

import pytest

from components.ingestion import text_blocks

LINES = b"".join(b"line %d\n" % number for number in range(1, 50))


def blocks_of(data: bytes, size: int, compressed=False) -> text_blocks.LineBlocks:
    pieces = text_blocks.content(io.BytesIO(data), compressed, size)
    return text_blocks.LineBlocks(pieces, size)


@pytest.mark.parametrize("size", [1, 7, 10, 64, 10_000])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("content", [LINES, LINES + b"no end", b"", b"x", b"\n\n"])
def test_blocks_join_to_the_content_and_count_their_lines(size, compressed, content):
    data = gzip.compress(content) if compressed else content
    lines = blocks_of(data, size, compressed)
    found = list(lines)
    assert b"".join(block.data for block in found) == content
    for block in found:
        before = content[: content.index(block.data)] if block.data in content else b""
        if block.data.startswith(b"line"):
            assert block.first_line == before.count(b"\n") + 1
        assert block.last or block.data.endswith(b"\n")
    assert lines.damage is None


def test_the_byte_order_mark_goes_even_when_pieces_are_tiny():
    for size in (1, 2, 100):
        lines = blocks_of(b"\xef\xbb\xbfa,b\n1,2\n", size)
        assert lines.first_line() == b"a,b"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_comes_as_utf_8(size, encoding):
    text = "a,b\né,\U0001f600\n"
    data = ("\ufeff" + text).encode(encoding)
    for compressed in (False, True):
        stream = io.BytesIO(gzip.compress(data) if compressed else data)
        found = text_blocks.content(stream, compressed, size)
        assert b"".join(found) == text.encode()


def test_half_a_surrogate_pair_becomes_no_utf_8():
    data = b"\xff\xfea\x00\x3d\xd8\n\x00b\x00"
    (found,) = text_blocks.content(io.BytesIO(data), False)
    assert found == b"a\xed\xa0\xbd\nb"


def test_utf_16_that_ends_within_a_character():
    lines = blocks_of("\ufeffa\nb\nc".encode("utf-16-le")[:-1], 4)
    assert b"".join(block.data for block in lines) == b"a\nb\n"
    assert lines.damage is not None


def test_the_first_line_may_end_in_a_carriage_return():
    lines = blocks_of(b"a,b\r\n1,2\r\n", 2)
    assert lines.first_line() == b"a,b"
    assert next(iter(lines)).first_line == 2


def test_what_is_handed_back_comes_again():
    lines = blocks_of(b"one\ntwo\nthree\n", 8)
    seen = []
    for block in lines:
        seen.append((block.first_line, block.data, block.last))
        if block.data == b"one\ntwo\n":
            lines.carry_over(b"two\n", 1)
    assert seen == [(1, b"one\ntwo\n", False), (2, b"two\nthree\n", True)]


def test_members_of_a_gzip_file_follow_one_another():
    data = gzip.compress(b"one\n") + b"\0\0" + gzip.compress(b"two\n")
    (block,) = blocks_of(data, 100, compressed=True)
    assert block.data == b"one\ntwo\n"


@pytest.mark.parametrize("size", [1, 13, 1_000_000])
def test_a_cut_off_gzip_file_gives_its_whole_lines(size):
    import random

    rnd = random.Random(1)
    content = b"".join(b"%d\n" % rnd.randrange(10**9) for _ in range(2_000))
    data = gzip.compress(content)
    lines = blocks_of(data[: len(data) // 2], size, compressed=True)
    found = b"".join(block.data for block in lines)
    assert lines.damage is not None
    assert content.startswith(found)
    assert found.endswith(b"\n")
    assert len(found) > len(content) // 3
    assert content.startswith(found + lines.damaged_tail)


def test_a_wrong_checksum_costs_no_line():
    data = bytearray(gzip.compress(LINES))
    data[-5] ^= 0xFF
    lines = blocks_of(bytes(data), 1000, compressed=True)
    assert b"".join(block.data for block in lines) == LINES
    assert "incorrect" in str(lines.damage)


def test_what_is_no_gzip_file_at_all_gives_nothing():
    lines = blocks_of(b"user_id,item_id\n", 1000, compressed=True)
    assert list(lines) == []
    assert lines.damage is not None
