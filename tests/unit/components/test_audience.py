"""Who judges, and how far audiences agree, on logs by hand."""

import numpy as np
import pytest

from components import audience


def log(**users):
    """User to the items that the user met, a letter each."""
    return [(u.encode(), i.encode()) for u, items in users.items() for i in items]


def likeness(found, first, second):
    row = [found.item_id.index(item.encode()) for item in (first, second)]
    return float(found.pairs(np.array(row[:1]), np.array(row[1:]))[0])


def test_who_judges_depends_on_the_id_alone():
    """Written down once: a changed hash would let training read its own judge."""
    users = [b"1", b"2", b"u1", "jürgen".encode(), b""]

    found = [
        [audience.is_judge(user, share) for user in users] for share in (0.25, 0.5)
    ]

    assert found == [[False, True, True, False, False], [True, True, True, False, True]]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5])
def test_share_of_users_judges(share):
    """10,000 users; standard deviation at most .005, five of them on either side."""
    judges = [audience.is_judge(b"%d" % user, share) for user in range(10_000)]

    assert abs(np.mean(judges) - share) <= 5 * 0.005
    assert share or not any(judges)


def test_larger_share_holds_the_users_of_a_smaller_one():
    users = [b"%d" % user for user in range(1_000)]
    few = {user for user in users if audience.is_judge(user, 0.1)}

    assert few < {user for user in users if audience.is_judge(user, 0.3)}


def test_likeness_is_the_shrunk_cosine():
    """a of three users, b of two, one of both: 1 / sqrt(8 * 7)."""
    found = audience.of(log(u="ab", v="a", w="ac", x="b"))

    assert found.num_users == 4
    assert likeness(found, "a", "b") == pytest.approx(1 / np.sqrt(8 * 7))
    assert likeness(found, "b", "c") == 0.0
    assert likeness(found, "a", "b") == likeness(found, "b", "a")


def test_repeats_count_once_and_order_means_nothing():
    pairs = log(u="ab", v="bc", w="abc")
    first = audience.of(pairs)

    second = audience.of([*pairs[::-1], *pairs])

    assert second.item_id == first.item_id
    assert (second.met != first.met).nnz == 0


def test_pairs_are_compared_however_many_there_are(rng):
    """More than are compared at once, and most of them again and again."""
    found = audience.of(
        [(b"%d" % u, b"%d" % i) for u, i in rng.integers(30, size=(200, 2))]
    )
    row, other = rng.integers(len(found.item_id), size=(2, 20_000))
    number = found.met.toarray() @ found.met.toarray().T
    length = np.sqrt(np.diag(number) + 5)

    np.testing.assert_allclose(
        found.pairs(row, other), number[row, other] / (length[row] * length[other])
    )


def planted(rng, users, taste):
    """Users who meet 15 of 40 items, in one of two halves with probability `taste`."""
    return [
        (b"u%d" % user, b"i%d" % item)
        for user in range(users)
        for item in rng.choice(
            40,
            15,
            replace=False,
            p=np.repeat([taste, 1 - taste][:: 1 - 2 * (user % 2)], 20) / 20,
        )
    ]


def test_reliability_tells_tastes_from_chance(rng):
    clear = audience.reliability(audience.of(planted(rng, 400, 0.9)))
    chance = audience.reliability(audience.of(planted(rng, 400, 0.5)))

    assert clear.value > 0.9
    assert abs(chance.value) < 0.3
    assert (clear.num_items, clear.reason) == (40, None)


def test_reliability_grows_with_the_users(rng):
    few, many = (
        audience.reliability(audience.of(planted(rng, users, 0.6))).value
        for users in (40, 1_000)
    )

    assert few < many


def test_reliability_is_the_agreement_with_other_users_of_the_same_number(rng):
    """What is told of one audience is seen in another; means of 20 logs of 100 users.

    Both correlations scatter by about .1: the means by .02, four of them on each side.
    """
    told, seen = [], []
    for _ in range(20):
        first, second = (audience.of(planted(rng, 100, 0.8)) for _ in range(2))
        told.append(audience.reliability(first).value)
        pair = np.triu_indices(40, k=1)
        cosines = [found.rows(np.arange(40))[pair] for found in (first, second)]
        seen.append(np.corrcoef(np.stack(cosines))[0, 1])

    assert 0.3 < np.mean(seen) < 0.95
    assert np.mean(told) == pytest.approx(np.mean(seen), abs=0.08)


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        log(u="abc", v="abc"),
        [(b"%d" % user, b"i%d" % user) for user in range(500)],
    ],
)
def test_thin_log_has_no_reliability_and_says_why(pairs):
    found = audience.reliability(audience.of(pairs))

    assert found.value is None
    assert "at least 20 are needed" in found.reason


def test_items_that_everybody_met_tell_nothing():
    everybody = [(b"%d" % u, b"%d" % i) for u in range(50) for i in range(30)]

    found = audience.reliability(audience.of(everybody))

    assert found.value is None
    assert "same audience" in found.reason
