"""Buckets of users."""

import numpy as np
import pyarrow as pa

from components.event_example_gen import mapping, partition
from components.ingestion import shuffle


def make_events(users, items, sequence=None):
    user = pa.array(users).dictionary_encode()
    item = pa.array(items).dictionary_encode()
    rows = len(users)
    return mapping.Events(
        np.asarray(user.indices),
        user.dictionary,
        np.asarray(item.indices),
        item.dictionary,
        np.arange(rows, dtype=np.int64),
        np.zeros(rows, np.int8),
        np.full(rows, np.nan),
        sequence,
    )


def listed(events):
    return [
        (
            events.user_ids[int(u)].as_py(),
            events.item_ids[int(i)].as_py(),
            int(t),
        )
        for u, i, t in zip(events.user, events.item, events.timestamp, strict=True)
    ]


def test_pieces_hold_every_event_once_in_its_users_bucket():
    rng = np.random.default_rng(1)
    users = [f"u{n}" for n in rng.integers(0, 30, 500)]
    items = [f"i{n}" for n in rng.integers(0, 40, 500)]
    events = make_events(users, items)
    found = []
    for bucket, piece in partition.partition(events, 8):
        part = partition.from_ipc([piece])
        assert set(shuffle.bucket_of(part.user_ids, 8).tolist()) == {bucket}
        assert len(part.item_ids) == len(np.unique(part.item))
        found += listed(part)
    assert sorted(found) == sorted(zip(users, items, range(500), strict=True))


def test_pieces_with_and_without_sequence_join():
    with_sequence = make_events(["a", "b"], ["x", "y"], np.array([3, 4]))
    without = make_events(["b"], ["x"])
    joined = partition.from_ipc(
        [partition.to_ipc(with_sequence), partition.to_ipc(without)]
    )
    assert joined.sequence.tolist() == [3, 4, mapping.NO_SEQUENCE]
    assert joined.user_ids.to_pylist() == ["a", "b"]
    assert listed(joined) == [("a", "x", 0), ("b", "y", 1), ("b", "x", 0)]


def test_no_events_no_pieces():
    nothing = make_events(["a"], ["x"]).take(np.zeros(0, np.int64))
    assert list(partition.partition(nothing, 4)) == []
