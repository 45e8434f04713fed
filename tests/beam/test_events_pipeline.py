"""The Beam path of the event log, from files to files, against the plain oracle."""

from __future__ import annotations

import gzip
import hashlib
import random

import pytest

from components import audience
from tests.properties import event_oracle, ingestion_runs

RULES = event_oracle.Rules(ingestion_runs.POLARITY, max_length=6, min_context=2)
JUNK = [
    event_oracle.Row("", "i1", "2000000", "like"),
    event_oracle.Row("u1", "i1", "999", "like"),  # in range as seconds
    event_oracle.Row("u1", "i1", "2000001", "buy"),
    event_oracle.Row("u2", "i1", "2000001", "like", "inf"),
]


def make_rows(seed: int, num_rows: int = 400) -> list[event_oracle.Row]:
    """Returns a log with ties, repeats, junk and one busy user."""
    rnd = random.Random(seed)
    rows = [
        event_oracle.Row(
            f"u{min(rnd.randrange(12), rnd.randrange(12))}",
            f"i{rnd.randrange(9)}",
            str(2_000_000 + rnd.randrange(60) * 7),
            rnd.choice(list(ingestion_runs.POLARITY)),
            rnd.choice(["", "0.25", "4"]),
            rnd.choice(["", "", "1", "2"]),
        )
        for _ in range(num_rows)
    ]
    rows += [
        event_oracle.Row("busy", f"i{n % 7}", str(2_000_000 + n), "view")
        for n in range(90)
    ]
    return rows + rows[:25] + JUNK


def layouts():
    yield "one CSV file", ["a.csv"], {}
    yield "many CSV files", ["b.csv", "a.csv", "c.csv.gz"], {"block_bytes": 300}
    yield "JSON Lines", ["a.jsonl", "b.jsonl.gz"], {"user_buckets": 4}
    yield (
        "Parquet",
        ["a.parquet", "b.parquet"],
        {"user_buckets": 1, "example_shards": 1},
    )
    yield "mixed", ["a.csv", "b.parquet", "c.jsonl"], {"user_buckets": 512}
    yield "in memory", ["a.csv", "b.parquet"], {"spill": False}


def write(folder, names, rows) -> list:
    paths = [folder / name for name in names]
    for i, path in enumerate(paths):
        ingestion_runs.write_file(path, rows[i :: len(paths)])
    return paths


def comparable(report: dict) -> dict:
    return {key: report[key] for key in report if key != "labels"}


@pytest.mark.parametrize("layout", list(layouts()), ids=lambda layout: layout[0])
@pytest.mark.parametrize(
    "rules",
    [
        RULES,
        event_oracle.Rules(
            ingestion_runs.POLARITY,
            split="global_time",
            held_out=3,
            daily_limit=60,
            merge_ms=14,
            max_length=6,
        ),
        event_oracle.Rules(
            ingestion_runs.POLARITY,
            split="global_time",
            daily_limit=15,
            lookback_ms=300,
            now_ms=2_000_350,
            max_future_ms=14,
        ),
    ],
    ids=["leave_last_out", "global_time", "late_and_future"],
)
def test_equals_the_oracle_in_every_layout(tmp_path, layout, rules):
    _, names, options = layout
    rows = make_rows(3)
    expected = event_oracle.ingest(rows, rules)
    random.Random(len(names)).shuffle(rows)
    paths = write(tmp_path, names, rows)
    report = ingestion_runs.ingest(tmp_path, paths, rules, **options)
    assert comparable(report) == expected
    assert sum(expected["events_rejected"].values()) >= 4
    if rules.lookback_ms:
        assert {"late_timestamp", "future_timestamp", "over_daily_limit"} <= {
            reason for reason, count in expected["events_rejected"].items() if count > 1
        }
    letters = ingestion_runs.dead_letters(tmp_path)
    assert ingestion_runs.reasons(letters) == expected["events_rejected"]


def test_labels_by_polarity_add_up(tmp_path):
    # One user: like, dislike+view, seen, like, view: the last two are eval and test.
    rows = [
        event_oracle.Row("u", "a", "1000001", "like"),
        event_oracle.Row("u", "b", "1000002", "dislike"),
        event_oracle.Row("u", "b", "1000002", "view"),
        event_oracle.Row("u", "c", "1000003", "seen"),
        event_oracle.Row("u", "d", "1000004", "like"),
        event_oracle.Row("u", "e", "1000005", "dislike"),
    ]
    paths = write(tmp_path, ["a.csv"], rows)
    report = ingestion_runs.ingest(tmp_path, paths, RULES)
    assert report["labels"] == {
        "train": {"positive": 1, "negative": 1, "neutral": 1},
        "eval": {"positive": 1, "negative": 0, "neutral": 0},
        "test": {"positive": 0, "negative": 1, "neutral": 0},
    }
    (test_example,) = report["examples"]["test"]
    assert test_example == (
        b"u",
        (
            (b"a", 1000001, b"like", 0.0, 0, 0),
            (b"b", 1000002, b"dislike|view", 0.0, 0, 0),
            (b"c", 1000003, b"seen", 0.0, 0, 0),
            (b"d", 1000004, b"like", 0.0, 0, 0),
            (b"e", 1000005, b"dislike", 0.0, 0, 1),
        ),
    )


def digests(folder) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ("Split" in str(path) or path.name == "ingestion.json")
    }


def test_the_files_are_byte_identical_whatever_the_layout(tmp_path):
    rows = make_rows(5)
    found = []
    for name, names, options in layouts():
        folder = tmp_path / name
        folder.mkdir()
        random.Random(name).shuffle(rows)
        paths = write(folder, names, rows)
        options = {**options, "user_buckets": 64, "example_shards": 3}
        ingestion_runs.ingest(folder, paths, RULES, **options)
        found.append(digests(folder))
        assert (folder / "spill").exists() == options.get("spill", True)
    assert len(found[0]) == 3 * 3 + 1
    assert all(other == found[0] for other in found[1:])


def test_explicit_cuts_replace_the_quantiles(tmp_path):
    rows = [
        event_oracle.Row("u", f"i{time}", str(time), "like")
        for time in (1000, 2000, 2999, 3000, 4000)
    ]
    rules = event_oracle.Rules(ingestion_runs.POLARITY, split="global_time")
    paths = write(tmp_path, ["a.csv"], rows)
    report = ingestion_runs.ingest(tmp_path, paths, rules, split_times_ms=(2000, 3000))
    labels = {
        split: [e[1] for _, elements in found for e in elements if e[5]]
        for split, found in report["examples"].items()
    }
    assert labels == {"train": [1000], "eval": [2000, 2999], "test": [3000, 4000]}
    assert report["split_times_ms"] == [2000, 3000]


def test_a_shard_is_the_users_and_every_shard_is_written(tmp_path):
    paths = write(tmp_path, ["a.csv"], make_rows(7))
    ingestion_runs.ingest(tmp_path, paths, RULES, example_shards=16)
    shards_of_user: dict[bytes, set[str]] = {}
    for split in ("train", "eval", "test"):
        files = sorted((tmp_path / f"Split-{split}").iterdir())
        assert [f.name for f in files] == [
            f"examples-{i:05d}-of-00016.gz" for i in range(16)
        ]
        for file in files:
            for record in ingestion_runs.tfrecords(file):
                user, _ = ingestion_runs.decode(record)
                shards_of_user.setdefault(user, set()).add(file.name)
    assert len(shards_of_user) == 13
    assert all(len(shards) == 1 for shards in shards_of_user.values())
    assert len(set.union(*shards_of_user.values())) > 4


def test_a_truncated_gzip_file_keeps_what_can_be_read(tmp_path):
    rows = make_rows(9)
    whole = ingestion_runs.csv_bytes(rows)
    # Random ids do not compress away: the cut falls into the rows.
    packed = gzip.compress(whole)
    (tmp_path / "a.csv.gz").write_bytes(packed[: len(packed) // 2])
    report = ingestion_runs.ingest(tmp_path, [tmp_path / "a.csv.gz"], RULES)
    assert report["events_rejected"]["truncated_file"] == 1
    assert 50 < report["events_read"] < len(rows)
    (letter,) = [
        x
        for x in ingestion_runs.dead_letters(tmp_path)
        if x["reason"] == "truncated_file"
    ]
    # Line 1 is the header: the lost line follows the good ones.
    assert letter["position"] == report["events_read"] + 1


def test_a_truncated_parquet_file_does_not_take_its_neighbours_along(tmp_path):
    rows = make_rows(11)
    paths = write(tmp_path, ["a.parquet", "b.parquet"], rows)
    paths[0].write_bytes(paths[0].read_bytes()[:-200])
    report = ingestion_runs.ingest(tmp_path, paths, RULES)
    assert report["events_rejected"]["truncated_file"] == 1
    assert report["events_read"] == len(rows[1::2]) + 1


def test_a_damaged_row_group_does_not_take_its_neighbours_along(tmp_path):
    rows = make_rows(13)
    (path,) = write(tmp_path, ["a.parquet"], rows)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(data)
    report = ingestion_runs.ingest(tmp_path, [path], RULES)
    assert report["events_read"] == len(rows)
    lost = report["events_rejected"]
    assert 0 < sum(lost.values()) < 60


def test_dead_letters_name_file_line_and_row(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        b"user_id,item_id,timestamp,action\n"
        b"u1,i1,1000001,like\n"
        b"u1,i1\n"
        b"\n"
        b"u1,i2,oops,like\n"
        b'u1,"i3,1000002,like\n'
        b"u1,\xff,1000002,like\n"
        b"u1,i4,1000003,like\n"
    )
    report = ingestion_runs.ingest(tmp_path, [tmp_path / "a.csv"], RULES)
    letters = ingestion_runs.dead_letters(tmp_path)
    assert [(x["position"], x["reason"], x["raw"]) for x in letters] == [
        (3, "wrong_cell_count", "u1,i1"),
        (5, "bad_timestamp", "u1,i2,oops,like"),
        (6, "wrong_cell_count", 'u1,"i3,1000002,like'),
        (7, "bad_item_id", "u1,\ufffd,1000002,like"),
    ]
    assert {x["file"] for x in letters} == {str(tmp_path / "a.csv")}
    assert report["events_kept"] == 2
    assert report["events_read"] == 6


@pytest.mark.slow
def test_workers_in_processes_of_their_own_write_the_same_bytes(tmp_path):
    rows = make_rows(17)
    found = []
    for name, arguments in (
        ("one", []),
        ("many", ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]),
    ):
        folder = tmp_path / name
        folder.mkdir()
        paths = write(folder, ["a.csv", "b.parquet", "c.jsonl"], rows)
        ingestion_runs.ingest(folder, paths, RULES, beam_args=arguments)
        found.append(digests(folder))
    assert found[0] == found[1]
    assert len(found[0]) > 10


# At a share of a half the hash makes judges of 6 of these 13 users.
JUDGES = {
    user
    for user in (b"busy", *(b"u%d" % n for n in range(12)))
    if audience.is_judge(user, 0.5)
}


def judged(folder, rows):
    folder.mkdir()
    paths = write(folder, ["a.csv", "b.csv"], rows)
    return ingestion_runs.ingest(folder, paths, RULES, judge_share=0.5)["examples"]


def test_users_who_judge_are_learnt_nothing_of(tmp_path):
    """What they did changes nothing but their own split and their test."""
    rows = make_rows(3)
    other = [
        row._replace(item_id="other") if row.user_id.encode() in JUDGES else row
        for row in rows
    ]

    first, second = judged(tmp_path / "a", rows), judged(tmp_path / "b", other)

    assert len(JUDGES) == 6
    assert first["train"] == second["train"]
    assert first["eval"] == second["eval"]
    assert first["judge"] != second["judge"]
    for split in ("train", "eval"):
        assert not {user for user, _ in first[split]} & JUDGES
    set_aside = {user for user, _ in first["judge"]}
    assert len(set_aside) > 2
    assert set_aside <= JUDGES
    assert {user for user, _ in first["test"]} >= set_aside


def test_a_judge_sees_what_would_have_been_learnt(tmp_path):
    """Every label stands in one split, and the rest of the log is as it was."""
    rows = make_rows(3)
    expected = event_oracle.ingest(rows, RULES)["examples"]

    found = judged(tmp_path / "a", rows)

    assert found["test"] == expected["test"]
    for split in ("train", "eval"):
        kept = [e for e in expected[split] if e[0] not in JUDGES]
        assert found[split] == kept

    def labels(examples):
        return sorted(
            (user, element[0], element[1])
            for user, elements in examples
            for element in elements
            if element[-1]
        )

    before = labels([*expected["train"], *expected["eval"]])
    assert labels([*found["train"], *found["eval"], *found["judge"]]) == before
