"""Order, repeats, daily limits and merging, worked by hand."""

import numpy as np
import pyarrow as pa

from components.event_example_gen import interactions, mapping

ACTIONS = ("dislike", "like", "view")
NAN = float("nan")
DAY = 86_400_000


def events(*rows, shuffle_seed=None) -> mapping.Events:
    """Makes events of (user, item, timestamp, action[, value[, sequence]])."""
    rows = [(*row, *(NAN, None)[len(row) - 4 :]) for row in rows]
    if shuffle_seed is not None:
        order = np.random.default_rng(shuffle_seed).permutation(len(rows))
        rows = [rows[i] for i in order]
    user = pa.array([row[0] for row in rows], pa.string()).dictionary_encode()
    item = pa.array([row[1] for row in rows], pa.string()).dictionary_encode()
    sequence = [mapping.NO_SEQUENCE if row[5] is None else row[5] for row in rows]
    return mapping.Events(
        np.asarray(user.indices),
        user.dictionary,
        np.asarray(item.indices),
        item.dictionary,
        np.array([row[2] for row in rows], np.int64),
        np.array([ACTIONS.index(row[3]) for row in rows], np.int8),
        np.array([row[4] for row in rows], float),
        np.array(sequence, np.int64),
    )


def listed(found: mapping.Events) -> list[tuple]:
    return [
        (
            found.user_ids[int(found.user[i])].as_py(),
            found.item_ids[int(found.item[i])].as_py(),
            int(found.timestamp[i]),
            ACTIONS[found.action[i]],
        )
        for i in range(len(found.user))
    ]


def merged(found: interactions.Interactions) -> list[tuple]:
    """Returns (user, item, timestamp, actions, value or None)."""
    result = []
    for user in range(len(found.user_ids)):
        for i in range(found.user_begin[user], found.user_begin[user + 1]):
            names = [n for bit, n in enumerate(ACTIONS) if found.actions[i] >> bit & 1]
            value = float(found.value[i])
            result.append(
                (
                    found.user_ids[user].as_py(),
                    found.item_ids[int(found.item[i])].as_py(),
                    int(found.timestamp[i]),
                    "|".join(names),
                    None if np.isnan(value) else value,
                )
            )
    return result


def interact(*rows, window_ms=0, **options) -> list[tuple]:
    ordered = interactions.order_events(events(*rows, **options)).events
    return merged(interactions.merge(ordered, window_ms))


def test_order_is_timestamp_then_sequence_then_item():
    rows = [
        ("u", "b", 1, "like", NAN, None),
        ("u", "c", 1, "like", NAN, None),
        ("u", "a", 1, "like", NAN, 5),
        ("u", "z", 1, "like", NAN, 4),
        ("u", "a", 2, "like", NAN, 0),
        ("t", "q", 9, "like", NAN, 0),
    ]
    for seed in range(20):
        ordered = interactions.order_events(events(*rows, shuffle_seed=seed)).events
        assert [(u, i) for u, i, _, _ in listed(ordered)] == [
            ("t", "q"),
            # Equal times: no sequence first, then by sequence, then by item.
            ("u", "b"),
            ("u", "c"),
            ("u", "z"),
            ("u", "a"),
            ("u", "a"),
        ]


def test_items_are_ordered_by_bytes():
    rows = [("u", item, 1, "like") for item in ("é", "b", "B", "10", "9")]
    ordered = interactions.order_events(events(*rows)).events
    assert [row[1] for row in listed(ordered)] == ["10", "9", "B", "b", "é"]


def test_only_rows_equal_in_every_column_are_repeats():
    ordered = interactions.order_events(
        events(
            ("u", "a", 1, "like", 0.5, 1),
            ("u", "a", 1, "like", 0.5, 1),
            ("u", "a", 1, "like", 0.5, 1),
            ("u", "a", 1, "like", 0.5, 2),
            ("u", "a", 1, "like", 0.6, 1),
            ("u", "a", 1, "like", NAN, 1),
            ("u", "a", 1, "like", NAN, 1),
            ("u", "a", 1, "view", 0.5, 1),
            ("u", "a", 2, "like", 0.5, 1),
            ("v", "a", 1, "like", 0.5, 1),
        )
    )
    assert ordered.num_duplicates == 3
    assert len(ordered.events.user) == 7


def test_watched_it_long_and_disliked_it_is_one_element():
    rows = [
        ("u", "a", 1, "view", 0.9),
        ("u", "a", 1, "dislike"),
        ("u", "b", 1, "view"),
    ]
    assert interact(*rows) == [
        ("u", "a", 1, "dislike|view", 0.9),
        ("u", "b", 1, "view", None),
    ]


def test_without_a_window_only_equal_times_merge():
    rows = [("u", "a", 1, "view"), ("u", "a", 2, "dislike")]
    assert interact(*rows) == [
        ("u", "a", 1, "view", None),
        ("u", "a", 2, "dislike", None),
    ]


def test_the_window_reaches_from_the_first_row_end_included():
    rows = [("u", "a", time, "view", float(time)) for time in (0, 6, 10, 11, 20, 21)]
    # [0..10] and [11..21]: rows within ten of the first, not of the one before.
    assert interact(*rows, window_ms=10) == [
        ("u", "a", 0, "view", 10.0),
        ("u", "a", 11, "view", 21.0),
    ]


def test_rows_of_other_items_in_between_do_not_matter():
    rows = [
        ("u", "a", 0, "view"),
        ("u", "b", 1, "like"),
        ("u", "a", 2, "dislike"),
        ("v", "a", 1, "like"),
    ]
    assert interact(*rows, window_ms=5) == [
        ("u", "a", 0, "dislike|view", None),
        ("u", "b", 1, "like", None),
        ("v", "a", 1, "like", None),
    ]


def test_equal_times_with_another_row_between_by_sequence_still_merge():
    rows = [
        ("u", "a", 1, "view", 0.1, 1),
        ("u", "b", 1, "like", NAN, 2),
        ("u", "a", 1, "dislike", 0.7, 3),
    ]
    assert interact(*rows) == [
        ("u", "a", 1, "dislike|view", 0.7),
        ("u", "b", 1, "like", None),
    ]


def test_the_last_present_value_counts():
    rows = [
        ("u", "a", 1, "view", 0.3, 1),
        ("u", "a", 1, "view", 0.2, 2),
        ("u", "a", 1, "like", NAN, 3),
    ]
    assert interact(*rows) == [("u", "a", 1, "like|view", 0.2)]


def test_rows_equal_but_for_the_value_are_ordered_by_it():
    rows = [("u", "a", 1, "like", value) for value in (0.5, NAN, 0.9, 0.7)]
    for seed in range(10):
        assert interact(*rows, shuffle_seed=seed) == [("u", "a", 1, "like", 0.9)]
    # An absent value is the first of them: it stays under a limit of one.
    for seed in range(10):
        shuffled = events(*rows, shuffle_seed=seed)
        (kept,) = interactions.order_events(shuffled, 1).events.value
        assert np.isnan(kept)


def test_a_group_without_any_value_has_none():
    rows = [
        ("u", "a", 1, "like"),
        ("u", "a", 1, "view"),
        ("u", "b", 1, "like", 0.5),
        ("u", "b", 1, "view", 0.6),
    ]
    assert [row[4] for row in interact(*rows)] == [None, 0.6]


def test_the_first_events_of_a_day_stay_under_a_limit():
    rows = [("u", f"i{n}", DAY + n, "view") for n in range(4)]
    rows += [("u", "next", 2 * DAY, "view"), ("v", "i9", DAY + 9, "view")]
    ordered = interactions.order_events(events(*rows, shuffle_seed=1), 2)
    assert [row[1] for row in listed(ordered.events)] == ["i0", "i1", "next", "i9"]
    assert [row[1] for row in listed(ordered.over_limit)] == ["i2", "i3"]


def test_a_repeat_does_not_use_up_the_limit():
    rows = [("u", "a", 1, "view"), ("u", "a", 1, "view"), ("u", "b", 2, "view")]
    ordered = interactions.order_events(events(*rows), 2)
    assert (ordered.num_duplicates, len(ordered.over_limit.user)) == (1, 0)


def test_no_events():
    nothing = events(("u", "a", 1, "view")).take(np.zeros(0, np.int64))
    ordered = interactions.order_events(nothing, 3)
    for window_ms in (0, 5):
        found = interactions.merge(ordered.events, window_ms)
        assert found.user_begin.tolist() == [0]
        assert len(found.user_ids) == len(found.used_items()) == 0


def test_wide_times_and_many_users_do_not_fit_one_key_and_still_sort():
    far = 2**61
    rows = [("u", "a", far, "view"), ("u", "a", -far, "view"), ("t", "a", 0, "view")]
    rows += [(f"x{n}", "a", 0, "view") for n in range(8)]
    ordered = listed(interactions.order_events(events(*rows)).events)
    assert ordered[:3] == [
        ("t", "a", 0, "view"),
        ("u", "a", -far, "view"),
        ("u", "a", far, "view"),
    ]
