"""The columnar event path against the plain oracle, without Beam."""

from __future__ import annotations

import collections
import io
import random

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from components.event_example_gen import (
    encoding,
    interactions,
    mapping,
    partition,
    windows,
)
from components.ingestion import locations, sources
from schema import settings as heed_settings
from tests.properties import event_oracle, ingestion_runs

SPLITS = ("train", "eval", "test")
GOOD_TIME = st.one_of(
    st.integers(2_000_000, 2_000_003).map(str),
    st.integers(2_000_000, 2_000_040).map(str),
)
DAYS_APART = st.integers(0, 3).map(lambda day: str(2_000_000 + day * 86_400_000))
ODD_TIME = st.sampled_from(["", "x", "5000", "-3", "1.5.2", "999", "99999999999999"])


def cells(*odd: str, good: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(good, good, good, good, good, st.sampled_from(odd))


ROWS = st.lists(
    st.builds(
        event_oracle.Row,
        cells("", " ", "a\nb", good=st.sampled_from(["u1", "u2", "ü|3", 'u"4,'])),
        cells("", "a\rb", good=st.sampled_from(["i1", "i2", "i3", "i10", "é"])),
        st.one_of(GOOD_TIME, GOOD_TIME, DAYS_APART, ODD_TIME),
        cells("", "buy", "Like", good=st.sampled_from(list(ingestion_runs.POLARITY))),
        cells("nan", "1e999", "1e39", "x", good=st.sampled_from(["", "0", "0.5", "3"])),
        cells("x", "1.5", good=st.sampled_from(["", "", "0", "1", "-1"])),
    ),
    max_size=60,
)
RULES = st.builds(
    event_oracle.Rules,
    actions=st.just(ingestion_runs.POLARITY),
    split=st.sampled_from(["leave_last_out", "global_time"]),
    held_out=st.sampled_from([1, 1, 2, 5]),
    quantiles=st.sampled_from([(0.8, 0.9), (0.29, 0.58), (0.0, 1.0)]),
    daily_limit=st.sampled_from([0, 0, 1, 3]),
    merge_ms=st.sampled_from([0, 0, 3, 15]),
    max_length=st.sampled_from([3, 4, 7]),
    min_context=st.sampled_from([0, 1, 2]),
)


def columnar(
    batches: list[list[event_oracle.Row]], rules: event_oracle.Rules, num_buckets: int
) -> dict:
    """Does what the Beam path does, in one process, batch by batch."""
    data = ingestion_runs.data_settings(rules)
    policy = ingestion_runs.feedback()
    buckets: dict[int, list[bytes]] = {}
    rejected: dict[str, int] = {}
    for number, rows in enumerate(batches):
        table = pa.table(
            {
                name: pa.array([row[i].encode() for row in rows], pa.binary())
                for i, name in enumerate(event_oracle.COLUMNS)
            }
        )
        events, reasons = mapping.to_events(
            table, heed_settings.EventMapping(), data, policy.names()
        )
        for row in reasons.rejected():
            rejected[reasons.of(row)] = rejected.get(reasons.of(row), 0) + 1
        if number % 2:  # some workers know where rows came from, some do not
            events = mapping.followed(
                events, number, pa.array(range(len(rows)), pa.int64()).to_numpy()
            )
        for bucket, piece in partition.partition(
            events.take(reasons.code == 0), num_buckets
        ):
            buckets.setdefault(bucket, []).append(piece)
    ordered = [
        interactions.order_events(partition.from_ipc(pieces), rules.daily_limit)
        for pieces in buckets.values()
    ]
    times = [time for part in ordered for time in part.events.timestamp.tolist()]
    over = sum(len(part.over_limit.user) for part in ordered)
    if over:
        rejected["over_daily_limit"] = over
    cuts_ms = None
    if rules.split == "global_time" and times:
        cuts_ms = ingestion_runs.time_cuts(np.array(times), rules)
    examples: dict[str, list[tuple]] = {split: [] for split in SPLITS}
    histories = [interactions.merge(part.events, rules.merge_ms) for part in ordered]
    for history in histories:
        encoder = encoding.WindowEncoder(history, policy.names())
        bounds = windows.split_bounds(history, cuts_ms, rules.held_out)
        for index, split in enumerate(SPLITS):
            cut = windows.cut_windows(
                history.user_begin,
                bounds[index],
                bounds[index + 1],
                rules.max_length,
                rules.min_context,
            )
            records = encoder.encode(cut)
            examples[split].extend(map(ingestion_runs.decode, records))
    return {
        "events_read": sum(map(len, batches)),
        "events_kept": len(times),
        "events_rejected": rejected,
        "events_deduplicated": sum(part.num_duplicates for part in ordered),
        "users": sum(len(history.user_ids) for history in histories),
        "interactions": sum(len(history.item) for history in histories),
        "split_times_ms": list(cuts_ms) if cuts_ms else None,
        "examples": {split: sorted(found) for split, found in examples.items()},
    }


def batched(rows: list, size: int) -> list[list]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]


@settings(max_examples=300, deadline=None)
@given(ROWS, RULES, st.integers(1, 70), st.sampled_from([1, 3, 64]), st.randoms())
def test_columns_equal_rows_whatever_the_order_and_the_batches(
    rows, rules, batch_rows, num_buckets, rnd
):
    expected = event_oracle.ingest(rows, rules)
    shuffled = list(rows)
    rnd.shuffle(shuffled)
    found = columnar(batched(shuffled, batch_rows), rules, num_buckets)
    expected.pop("items")
    assert found == expected
    assert found["events_read"] == (
        found["events_kept"]
        + found["events_deduplicated"]
        + sum(found["events_rejected"].values())
    )


@settings(max_examples=200, deadline=None)
@given(ROWS, RULES)
def test_every_interaction_is_a_label_once_and_no_state_holds_its_future(rows, rules):
    found = columnar([rows], rules, 4)
    labels = []
    for split in SPLITS:
        for user, elements in found["examples"][split]:
            assert len(elements) <= rules.max_length
            flags = [element[5] for element in elements]
            assert flags == sorted(flags)  # context first
            assert flags[-1] == 1
            keys = [element[1] for element in elements]
            assert keys == sorted(keys)
            labels += [(user, e[0], e[1]) for e in elements if e[5]]
    assert len(labels) == len(set(labels)) == found["interactions"]


@settings(max_examples=200, deadline=None)
@given(ROWS, RULES)
def test_no_split_sees_the_labels_of_a_later_one(rows, rules):
    found = columnar([rows], rules, 4)
    seen = {split: collections.Counter() for split in SPLITS}
    labels = {split: collections.Counter() for split in SPLITS}
    for split in SPLITS:
        for user, elements in found["examples"][split]:
            for element in elements:
                seen[split][user, element[0], element[1]] += 1
                labels[split][user, element[0], element[1]] += element[5]
    for index, split in enumerate(SPLITS):
        for later in SPLITS[index + 1 :]:
            # Not as a label, and not as context either.
            assert not seen[split].keys() & (+labels[later]).keys()
    if found["split_times_ms"]:
        first, second = found["split_times_ms"]
        assert all(time < first for _, _, time in seen["train"])
        assert all(time < second for _, _, time in seen["eval"])
        assert all(first <= time for _, _, time in +labels["eval"])


def test_the_rows_above_are_not_trivial():
    rnd = random.Random(1)
    rows = [
        event_oracle.Row(
            f"u{rnd.randrange(3)}",
            f"i{rnd.randrange(5)}",
            str(2_000_000 + rnd.randrange(200)),
            rnd.choice(list(ingestion_runs.POLARITY)),
        )
        for _ in range(150)
    ]
    rules = event_oracle.Rules(ingestion_runs.POLARITY, merge_ms=15)
    expected = event_oracle.ingest(rows, rules)
    assert all(len(found) > 1 for found in expected["examples"].values())
    assert expected["interactions"] < expected["events_kept"]
    assert columnar([rows], rules, 4)["examples"] == expected["examples"]


@settings(max_examples=60, deadline=None)
@given(
    ROWS,
    st.sampled_from(["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz"]),
    st.integers(1, 400),
)
def test_the_size_of_text_blocks_changes_nothing(rows, name, size):
    content = ingestion_runs.file_bytes(name, rows)
    file = locations.SourceFile(0, name, *locations.file_format(name))

    def read(block_bytes: int) -> tuple[list, list]:
        good, bad = [], []
        for block in sources.read_blocks(
            io.BytesIO(content),
            file,
            None,
            event_oracle.COLUMNS,
            block_bytes=block_bytes,
        ):
            bad += block.rejected
            table = block.table.to_pylist()
            raw = block.raw_rows(np.arange(len(table)))
            for row, position in enumerate(block.position.tolist()):
                cells = {name: _as_text(cell) for name, cell in table[row].items()}
                good.append((position, cells, raw[row]))
        return good, sorted(bad)

    whole = read(2**24)
    assert read(size) == whole
    good, bad = whole
    assert not bad
    assert [tuple(cells[c] for c in event_oracle.COLUMNS) for _, cells, _ in good] == [
        tuple(row) for row in rows
    ]


def _as_text(cell) -> str:
    """Returns a cell as the CSV would hold it."""
    if cell is None:
        return ""
    return cell.decode() if isinstance(cell, bytes) else cell
