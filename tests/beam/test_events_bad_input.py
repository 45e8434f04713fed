"""Every kind of bad input: good rows stay, bad ones are counted and kept."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from schema import settings
from tests.properties import event_oracle, ingestion_runs

RULES = event_oracle.Rules(ingestion_runs.POLARITY, max_length=50)
HEADER = b"user_id,item_id,timestamp,action,value\n"
# Two good rows around whatever is bad.
BEFORE, AFTER = b"u1,i1,1000001,like,\n", b"u1,i2,1000002,view,0.5\n"
LONG = b"x" * 10 * 2**20


def elements(report) -> list[tuple]:
    return [(e[0].decode(), e[1]) for _, es in report["examples"]["train"] for e in es]


def letters(folder) -> list[tuple]:
    return [
        (letter["file"].rsplit("/", 1)[-1], letter["position"], letter["reason"])
        for letter in ingestion_runs.dead_letters(folder)
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"u1,i9,oops,like,\n", "bad_timestamp"),
        (b"u1,i9,1000001,like,often\n", "bad_value"),
        (b"u1,\xff\xfe,1000001,like,\n", "bad_item_id"),
        (b"u1,i9,-1000001,like,\n", "timestamp_out_of_range"),
        (b"u1,i9,99999999999999999,like,\n", "timestamp_out_of_range"),
        (b"u1,i9,99999999999999999999,like,\n", "timestamp_out_of_range"),
        (b"u1,i9,1001,like,\n", None),
        (b"u1,i9,999,like,\n", "timestamp_in_seconds"),
        (b",i9,1000001,like,\n", "missing_user_id"),
        (b"u1, ,1000001,like,\n", "missing_item_id"),
        (b"u1,i9,1000001,like," + LONG + b"\n", "bad_value"),
        (LONG + b"\n", "wrong_cell_count"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else value,
)
def test_one_bad_csv_row(tmp_path, row, reason):
    (tmp_path / "a.csv").write_bytes(HEADER + BEFORE + row + AFTER)
    report = ingestion_runs.ingest(tmp_path, [tmp_path / "a.csv"], RULES)
    assert report["events_read"] == 3
    if reason is None:
        # The least timestamp that is in range: the row is good.
        assert ("i9", 1001) in elements(report)
        return
    assert report["events_rejected"] == {reason: 1}
    assert elements(report) == [("i1", 1000001), ("i2", 1000002)]
    assert letters(tmp_path) == [("a.csv", 3, reason)]
    (letter,) = ingestion_runs.dead_letters(tmp_path)
    # Kept whole, however long.
    assert letter["raw"] == row.removesuffix(b"\n").decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"user_id": "u1", "item_id": ["i9"]}', "bad_type"),
        (b'{"user_id": true, "item_id": "i9"}', "bad_type"),
        (b'{"user_id": "u1", "item_id": "\xff"}', "bad_utf8"),
        (b'{"user_id": "u1"', "bad_json"),
        (b'["u1", "i9"]', "bad_json"),
        (b'{"user_id": "u1", "x": "' + LONG, "bad_json"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else value,
)
def test_one_bad_json_line_in_a_gzip_file(tmp_path, line, reason):
    good = b'{"user_id": "u1", "item_id": "%s", "timestamp": %d, "action": "like"}\n'
    content = good % (b"i1", 1000001) + line + b"\n" + good % (b"i2", 1000002)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(content))
    report = ingestion_runs.ingest(tmp_path, [tmp_path / "a.jsonl.gz"], RULES)
    assert report["events_rejected"] == {reason: 1}
    assert elements(report) == [("i1", 1000001), ("i2", 1000002)]
    assert letters(tmp_path) == [("a.jsonl.gz", 2, reason)]


def test_a_long_cell_that_nobody_reads_does_no_harm(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        b"user_id,item_id,timestamp,action,comment\n"
        b"u1,i1,1000001,like,\n"
        b"u1,i2,1000002,like," + LONG + b"\n"
    )
    row = {"user_id": "u1", "item_id": "i3", "timestamp": 1000003, "action": "like"}
    line = json.dumps({**row, "comment": LONG.decode()}) + "\n"
    (tmp_path / "b.jsonl").write_text(line)
    paths = [tmp_path / "a.csv", tmp_path / "b.jsonl"]
    report = ingestion_runs.ingest(tmp_path, paths, RULES, block_bytes=2**20)
    assert report["events_rejected"] == {}
    assert [item for item, _ in elements(report)] == ["i1"]
    assert report["events_kept"] == 3


def test_files_of_different_schemas_join(tmp_path):
    # Numbers here, texts there; another order; a column more, a column less.
    parquet.write_table(
        pa.table(
            {
                "item_id": pa.array([7, 8], pa.int32()),
                "user_id": pa.array([1.0, 2.0]),
                "timestamp": pa.array([1_000_001, 1_000_002], pa.timestamp("ms")),
                "action": ["like", "like"],
                "device": ["tv", None],
            }
        ),
        tmp_path / "a.parquet",
    )
    parquet.write_table(
        pa.table(
            {
                "user_id": ["1", None],
                "item_id": ["8", "7"],
                "timestamp": ["1000003", "1000003"],
                "action": pa.array(["view", "view"]).dictionary_encode(),
                "value": pa.array([b"0.5", b"-"], pa.binary()),
            }
        ),
        tmp_path / "b.parquet",
    )
    (tmp_path / "c.csv").write_text(
        "action,timestamp,item_id,user_id\nlike,1000004,7.0,1\n"
    )
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet", "c.csv")]
    report = ingestion_runs.ingest(
        tmp_path, paths, RULES, split_times_ms=(2**40, 2**41)
    )
    assert report["users"] == 2
    assert report["events_rejected"] == {"missing_user_id": 1}
    assert letters(tmp_path) == [("b.parquet", 1, "missing_user_id")]
    # "7" is the item 7; text "7.0" is another name, as nobody said it is a number.
    assert report["items"] == 3
    found = [e for split in report["examples"].values() for _, es in split for e in es]
    assert {(e[0], e[3], e[4]) for e in found} == {
        (b"7", 0.0, 0),
        (b"8", 0.0, 0),
        (b"8", 0.5, 1),
        (b"7.0", 0.0, 0),
    }


def test_iso_8601_times_in_every_format(tmp_path):
    # 1,000,001 ms after 1970-01-01 are 16 minutes and 40.001 seconds.
    times = ["1970-01-01T00:16:40.001Z", "1970-01-01 01:16:40.002+01:00"]
    (tmp_path / "a.csv").write_text(
        "user_id,item_id,timestamp,action\n"
        f"u1,i1,{times[0]},like\nu1,i2,{times[1]},like\nu1,i9,1000003,like\n"
    )
    lines = [
        {"user_id": "u2", "item_id": f"i{n}", "timestamp": time, "action": "like"}
        for n, time in enumerate(times, 1)
    ]
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, lines)))
    table = {"user_id": ["u3"] * 2, "item_id": ["i1", "i2"], "action": ["like"] * 2}
    parquet.write_table(pa.table({**table, "timestamp": times}), tmp_path / "c.parquet")
    typed = pa.array([1_000_001, 1_000_002], pa.timestamp("ms", "UTC"))
    table["user_id"] = ["u4"] * 2
    parquet.write_table(pa.table({**table, "timestamp": typed}), tmp_path / "d.parquet")
    paths = [tmp_path / name for name in ("a.csv", "b.jsonl", "c.parquet", "d.parquet")]
    mapping = settings.EventMapping(timestamp_unit="iso8601")
    report = ingestion_runs.ingest(tmp_path, paths, RULES, mapping)
    assert report["events_rejected"] == {"bad_timestamp": 1}
    assert {
        (user, *(element[1] for element in elements))
        for user, elements in report["examples"]["train"]
    } == {(f"u{n}".encode(), 1_000_001, 1_000_002) for n in (1, 2, 3, 4)}


def test_one_user_of_very_many_events(tmp_path):
    num_events = 200_000
    number = pa.array(range(num_events))
    parquet.write_table(
        pa.table(
            {
                "user_id": pa.DictionaryArray.from_arrays(
                    pa.array([0] * num_events, pa.int32()), ["robot"]
                ),
                "item_id": number.cast(pa.string()),
                "timestamp": compute.add(number, 1_000_000),
                "action": pa.DictionaryArray.from_arrays(
                    pa.array([0] * num_events, pa.int32()), ["like"]
                ),
            }
        ),
        tmp_path / "a.parquet",
    )
    rules = event_oracle.Rules(
        ingestion_runs.POLARITY, max_length=5_000, min_context=1_000
    )
    report = ingestion_runs.ingest(tmp_path, [tmp_path / "a.parquet"], rules)
    train = report["examples"]["train"]
    # The first window has 5,000 labels, each later one 4,000: 1 + 194,998 / 4,000.
    assert len(train) == 50
    times = [e[1] for _, es in train for e in es if e[5]]
    assert sorted(times) == list(range(1_000_000, 1_000_000 + num_events - 2))
