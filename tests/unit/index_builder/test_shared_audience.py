import numpy as np

from components import held_out
from components.index_builder import shared_audience
from serving.bundle import audience


def window(user_id, *items, context=()):
    length = len(context) + len(items)
    return held_out.Window(
        user_id=user_id,
        item_id=np.array([*context, *items], object),
        timestamp=np.arange(length),
        action=np.full(length, b"view", object),
        value=np.full(length, np.nan, np.float32),
        is_label=np.arange(length) >= len(context),
    )


def test_users_of_both_are_counted_once_each():
    """Four users met a and b, the fourth in two windows; three of them c as well."""
    windows = [
        window(b"u1", b"a", b"b", b"c"),
        window(b"u2", b"b", b"a", b"c"),
        window(b"u3", b"c", b"a", b"b"),
        window(b"u4", b"a", b"a"),
        window(b"u4", b"b", context=[b"a"]),
        window(b"u5", b"c"),
    ]

    assert shared_audience.of(windows) == {
        "a": audience.Audience(
            4, {"b": audience.Shared(4, 4), "c": audience.Shared(3, 4)}
        ),
        "b": audience.Audience(
            4, {"a": audience.Shared(4, 4), "c": audience.Shared(3, 4)}
        ),
        "c": audience.Audience(
            4, {"a": audience.Shared(3, 4), "b": audience.Shared(3, 4)}
        ),
    }


def test_two_users_tell_nothing_and_context_is_of_another_window():
    windows = [
        window(b"u1", b"a", b"b"),
        window(b"u2", b"a", b"b"),
        window(b"u3", b"a", context=[b"b"]),
    ]

    assert shared_audience.of(windows) == {}


def test_an_empty_log_has_no_audiences():
    assert shared_audience.of([]) == {}


def test_nearest_come_first_and_no_more_than_asked_for():
    """Item 0 shares 3 + n users with item n: the further, the more."""
    most = shared_audience.NEAREST + 10
    windows = [
        window(
            f"u{user}".encode(),
            b"0",
            *[str(n).encode() for n in range(1, most + 1) if user < 3 + n],
        )
        for user in range(most + 3)
    ]

    found = shared_audience.of(windows)["0"].nearest

    expected = [str(n) for n in range(most, 10, -1)]
    assert list(found) == expected
    assert found[str(most)] == audience.Shared(most + 3, most + 3)
