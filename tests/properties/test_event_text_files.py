"""Arbitrary text: what is read of it does not depend on where blocks end.

Small blocks are read line by line, large ones by the vectorised parsers: both have to
agree on every row and every refusal.
"""

from __future__ import annotations

import io

import numpy as np
import pyarrow.lib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.ingestion import casting, dictionaries, locations, sources


@pytest.fixture(autouse=True, scope="module")
def _no_heap_walk():
    """Skips pyarrow's walk over the heap at every call, under Python 3.10 only.

    It guards against a reference cycle in signal handling, and would make these many
    small reads take minutes.
    """
    with pytest.MonkeyPatch.context() as patch:
        name = "_break_traceback_cycle_from_frame"
        patch.setattr(pyarrow.lib, name, lambda frame: None)
        yield


CSV_TEXT = st.lists(
    st.sampled_from(
        ["a", "1", "é", ",", ",", ",", '"', '""', "\n", "\n", "\r\n", "\r", "\0", " "]
    ),
    max_size=80,
).map("".join)
JSON_TEXT = st.lists(
    st.sampled_from(
        [
            '{"a":"x","b":1}',
            '{"a":"x","b":1.5}',
            '{"a":7,"b":"2"}',
            '{"a":"é"}',
            '{"b":null}',
            "{}",
            "{",
            "[1]",
            '"x"',
            " ",
            "",
            '{"a":"\\ud800"}',
            '{"a":true}',
            '{"b":NaN}',
            '{"a":"x","a":"y"}',
        ]
    ),
    max_size=40,
).map("\n".join)


def read_csv(data: bytes, block_bytes: int) -> tuple[list, list]:
    rows, refused = [], []
    file = locations.SourceFile(0, "a.csv", "csv", False)
    for block in sources.read_blocks(
        io.BytesIO(data), file, None, ["x", "y"], block_bytes=block_bytes
    ):
        refused += block.rejected
        table = block.table.to_pylist()
        raw = block.raw_rows(np.arange(len(table)))
        rows += zip(block.position.tolist(), table, raw, strict=True)
    assert rows == sorted(rows, key=lambda row: row[0])
    return rows, refused


@settings(max_examples=400, deadline=None)
@given(CSV_TEXT, st.integers(1, 60))
@example('1,"\n2,a\n"\n', 1)
@example('a" ,1\n1,"2\n3,4\n', 7)
@example('a","\n\n', 1)
@example('"a","1\n","2\n",3\n', 9)
def test_csv(text, block_bytes):
    data = ("x,y\n" + text).encode()
    whole = read_csv(data, 2**24)
    assert read_csv(data, block_bytes) == whole
    rows, refused = whole
    positions = [row[0] for row in rows] + [refusal.position for refusal in refused]
    assert len(positions) == len(set(positions))
    # Every line that holds anything is part of one row or refusal.
    accounted = set()
    for position, _, raw in rows:
        accounted.update(range(position, position + raw.count("\n") + 1))
    accounted.update(refusal.position for refusal in refused)
    filled = {
        number
        for number, line in enumerate(text.split("\n"), 2)
        if line.removesuffix("\r")
    }
    assert filled <= accounted


def read_jsonl(data: bytes, block_bytes: int) -> tuple[list, list]:
    rows, refused = [], []
    file = locations.SourceFile(0, "a.jsonl", "jsonl", False)
    for block in sources.read_blocks(
        io.BytesIO(data), file, None, ["a", "b"], block_bytes=block_bytes
    ):
        refused += block.rejected
        if not block.table.num_rows:
            continue
        texts = dictionaries.texts(block.table["a"])
        numbers = casting.floats(block.table["b"])
        raw = block.raw_rows(np.arange(block.table.num_rows))
        for row, position in enumerate(block.position.tolist()):
            code = texts.codes[row]
            number = None if numbers.missing[row] else repr(numbers.values[row])
            text = None if code < 0 else texts.values[int(code)].as_py()
            bad = code >= 0 and bool(texts.bad[code]), bool(numbers.bad[row])
            rows.append((position, text, number, bad, raw[row]))
    # Lines of other types come in blocks of their own.
    return sorted(rows), sorted(refused)


@settings(max_examples=400, deadline=None)
@given(JSON_TEXT, st.integers(1, 200))
def test_jsonl(text, block_bytes):
    data = text.encode()
    whole = read_jsonl(data, 2**24)
    assert read_jsonl(data, block_bytes) == whole
    rows, refused = whole
    alone = [(n, read_jsonl(line, 99)) for n, line in enumerate(data.split(b"\n"), 1)]
    assert rows == [(n, *row[1:]) for n, (found, _) in alone for row in found]
    found = [row[0] for row in rows] + [refusal.position for refusal in refused]
    filled = [n for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    assert sorted(found) == filled
