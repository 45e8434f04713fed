"""What dislikes take out of the query: against a loop, and invariants in the model."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.avoidance import path as avoidance_path
from schema import settings
from tests import two_towers

HALF_EVENTS, HALF_DAYS, OLDER, STRENGTH = 4.0, 2.0, 0.25, 3.0
AFTER_1, AFTER_2 = 0.9576033, 0.8408964
"""What one and two further elements leave: 2^(-1/16) and 2^(-1/4)."""
CODES = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], np.float32)
"""Items 0 and 1 have the similarity .8, 1 and 2 .6, 0 and 2 nothing."""


def answer(
    row, dislike, like, days=None, is_element=None, older=OLDER, sets=(-1, -1, -1)
):
    """What one history takes away, by similarity to the three items."""
    path = avoidance_path.Avoidance(
        two_towers.make_table(),
        settings.ModelSettings(
            avoidance_half_life_events=HALF_EVENTS,
            avoidance_half_life_days=HALF_DAYS,
            avoidance_older_share=older,
            avoidance_strength=STRENGTH,
        ),
    )
    row = np.array([row], np.int32)
    gap_min = 1_440.0 * np.array([days or [0.0] * row.size])
    query = path.answer(
        tf.constant(row),
        tf.constant([dislike], tf.float32),
        tf.constant([like], tf.float32),
        tf.constant(np.log1p(gap_min), tf.float32),
        tf.constant([is_element or [True] * row.size]),
        tf.constant(CODES),
        tf.constant(0.1 * CODES[row]),
        tf.constant(sets),
    )
    return -(query.numpy()[0] @ (0.1 * CODES).T) / STRENGTH


def test_a_fresh_dislike_lowers_by_similarity():
    np.testing.assert_allclose(answer([0], [1], [0]), [1.0, 0.8, 0.0], rtol=1e-5)


def test_it_fades_by_the_elements_after_it():
    """A pad lets nothing fade."""
    found = answer([0, 2, 2, 0], [1, 0, 0, 0], [0] * 4, None, [True] * 3 + [False])

    np.testing.assert_allclose(found, AFTER_2 * np.array([1.0, 0.8, 0]), rtol=1e-5)


def test_it_fades_by_time():
    """One day and then three are two half-lives; what was before does not count."""
    found = answer([0, 2, 2], [1, 0, 0], [0] * 3, [50.0, 1.0, 3.0])

    expected = 0.25 * AFTER_2 * np.array([1.0, 0.8, 0.0])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_weaker_action_takes_less():
    np.testing.assert_allclose(answer([0], [0.1], [0]), [0.1, 0.08, 0.0], rtol=1e-5)


def test_an_answer_halves_at_its_half_life_and_is_a_sixteenth_at_twice_that():
    for later, left in ((4, 0.5), (8, 0.0625)):
        found = answer([0] + [2] * later, [1] + [0] * later, [0] * (later + 1))

        np.testing.assert_allclose(
            found, left * np.array([1.0, 0.8, 0.0]), rtol=1e-5, err_msg=str(later)
        )


def test_the_newest_is_whole_and_older_ones_keep_a_share():
    """One newer dislike leaves .25 of the older, 1.9576 of them .25^1.9576."""
    found = answer([0, 1, 2], [1, 1, 1], [0, 0, 0])

    second = AFTER_1 * 0.25
    third = AFTER_2 * 0.25 ** (1.0 + AFTER_1)
    expected = CODES[2] @ CODES.T + second * (CODES[1] @ CODES.T)
    expected += third * (CODES[0] @ CODES.T)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_newer_dislike_that_has_faded_takes_less_of_an_older_one():
    """Half of the newer is left, so that the older keeps .25^.5 of its own .34."""
    found = answer([0, 2, 1, 1, 1, 1], [1, 1] + [0] * 4, [0] * 6)

    of_older = 2.0 ** -(25 / 16) * 0.5
    expected = 0.5 * (CODES[2] @ CODES.T) + of_older * (CODES[0] @ CODES.T)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_where_older_ones_keep_all_they_add_up():
    found = answer([0, 1], [1, 1], [0, 0], older=1.0)

    expected = CODES[1] @ CODES.T + AFTER_1 * (CODES[0] @ CODES.T)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(("like", "left"), [(1.0, 0.0), (0.5, 0.5), (7.0, 0.0)])
def test_a_later_like_of_the_same_item_takes_it_back(like, left):
    found = answer([0, 0], [1, 0], [0, like])

    np.testing.assert_allclose(
        found, left * AFTER_1 * np.array([1.0, 0.8, 0.0]), atol=1e-6
    )


@pytest.mark.parametrize(
    ("liked", "left"),
    [(1, 0.4), (2, 1.0)],
)
def test_later_likes_of_the_kind_count_from_half_the_similarity(liked, left):
    """(.8 - .5) / .5 = .6 of the dislike is taken back; nothing below .5."""
    found = answer([0, liked], [1, 0], [0, 1])

    np.testing.assert_allclose(
        found, left * AFTER_1 * np.array([1.0, 0.8, 0.0]), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    ("liked", "sets", "left"),
    [
        ([2], (5, 1, 5), 0.8),
        ([2, 2], (5, 1, 5), 0.6),
        ([2] * 5, (5, 1, 5), 0.0),
        ([2] * 6, (5, 1, 5), 0.0),
        ([2], (-1, 1, -1), 1.0),
        ([1], (5, 5, 1), 0.4),
    ],
    ids=["one", "two", "five", "six", "without categories", "similarity says more"],
)
def test_a_later_like_of_the_same_categories_takes_a_fifth_back(liked, sets, left):
    later = len(liked)
    found = answer([0, *liked], [1] + [0] * later, [0] + [1] * later, sets=sets)

    faded = left * 2.0 ** -((later / HALF_EVENTS) ** 2)
    np.testing.assert_allclose(
        found, faded * np.array([1.0, 0.8, 0.0]), rtol=1e-4, atol=1e-6
    )


def test_category_sets_are_alike_whatever_the_order():
    def sets(weight):
        model = settings.ModelSettings(avoidance_category_weight=weight)
        path = avoidance_path.Avoidance(two_towers.make_table(), model)
        return path.category_sets().tolist()

    found = sets(0.2)
    assert found[0] == found[3] >= 0
    assert found[1] == found[6] >= 0
    assert found[0] != found[1]
    assert [found[i] for i in (2, 4, 5, 7)] == [-1] * 4
    assert sets(0.0) == [-1] * 8


def test_a_like_before_the_dislike_does_not_count():
    np.testing.assert_allclose(
        answer([0, 0], [0, 1], [1, 0]), [1.0, 0.8, 0.0], rtol=1e-5
    )


def test_what_is_unknown_takes_nothing_and_takes_no_share_of_others():
    found = answer([0, -1, -1], [1, 1, 0], [0, 0, 1])

    np.testing.assert_allclose(found, AFTER_2 * np.array([1.0, 0.8, 0.0]), rtol=1e-5)
    np.testing.assert_array_equal(answer([-1], [1], [0]), [0.0] * 3)


# --- in the model ---------------------------------------------------------------------

PATH = {"avoidance_strength": 2.5, "avoidance_code_dim": 4}
TOWERS = ("gru", "transformer")
VIEW, DISLIKE = (0, "view", 1.0, 0.0), (1, "dislike", None, 3.0)


@pytest.fixture(scope="module", params=TOWERS)
def two_tower(request):
    return two_towers.make_model(query_tower=request.param, towers=PATH)


def with_gaps(window):
    """A batch whose kept gaps are those between elements without a dislike."""
    batch = two_towers.make_batch([window])
    minutes, kept = 0.0, []
    seen = False
    for _, action, _, gap in window:
        minutes += np.expm1(gap)
        kept.append(np.log1p(minutes) if seen else 0.0)
        if "dislike" not in action:
            minutes, seen = 0.0, True
    batch["kept_log_gap"] = tf.constant([kept], tf.float32)
    return batch


def served(two_tower, window, user_control=1.0):
    return two_towers.served(two_tower, with_gaps(window), user_control)[0]


@pytest.mark.parametrize("user_control", [1.0, 2.0])
def test_a_dislike_that_is_taken_back_gives_the_query_of_the_like(
    two_tower, user_control
):
    """The like comes five minutes after the view, the dislike after two or not."""
    early = (1, "dislike", None, float(np.log1p(2.0)))
    taken_back = [VIEW, early, (1, "like", None, float(np.log1p(3.0)))]
    alone = [VIEW, (1, "like", None, float(np.log1p(5.0)))]

    np.testing.assert_allclose(
        served(two_tower, taken_back, user_control),
        served(two_tower, alone, user_control),
        rtol=1e-5,  # float32: the times reach the tower by different sums
        atol=1e-6,
    )


def test_a_dislike_is_answered_until_half_of_it_has_faded(two_tower):
    """n events: 2^-(n / 6)^2; d days: 2^-(d / 30); 5 events leave .618."""
    minutes = {"soon": 1.0, "6 days": 8_640.0, "25 days": 36_000.0}

    def answered(*gaps):
        log_gap = np.log1p([[0.0, *(minutes[gap] for gap in gaps)]])
        is_element = tf.ones(log_gap.shape, tf.bool)
        found = two_tower.avoidance.is_answered(
            tf.constant(log_gap, tf.float32), is_element
        )
        return bool(found[0, 0])

    assert answered()
    assert answered(*["soon"] * 5)
    assert not answered(*["soon"] * 6)
    # .618 * 2^-(6 / 30) = .538, and 2^-(1 / 36 + 25 / 30) = .550.
    assert answered("6 days", *["soon"] * 4)
    assert answered("25 days")
    # .618 * 2^-(12 / 30) = .468, and 2^-(4 / 36 + 31 / 30) = .452.
    assert not answered("6 days", "6 days", *["soon"] * 3)
    assert not answered("6 days", "25 days")


def test_the_towers_read_a_dislike_again_once_it_has_faded(two_tower):
    like = (2, "like", None, 1.0)
    fresh, faded = [VIEW, DISLIKE, *[like] * 5], [VIEW, DISLIKE, *[like] * 6]

    read = two_towers.embeddings(two_tower, with_gaps(faded))[0, -1]
    np.testing.assert_allclose(served(two_tower, faded)[:8], read, atol=1e-6)
    read = two_towers.embeddings(two_tower, with_gaps(fresh))[0, -1]
    assert np.abs(served(two_tower, fresh)[:8] - read).max() > 1e-3


def test_the_towers_do_not_read_a_fresh_dislike(two_tower):
    """What remains of it is in the further dimensions."""
    found = served(two_tower, [VIEW, DISLIKE])
    without = served(two_tower, [VIEW])

    np.testing.assert_allclose(found[:8], without[:8], atol=1e-6)
    assert np.abs(found[8:]).max() > 1e-3
    np.testing.assert_array_equal(without[8:], 0.0)


def test_user_control_0_is_what_the_towers_read(two_tower):
    window = [VIEW, DISLIKE, (2, "like", None, 1.0)]
    found = served(two_tower, window, 0.0)

    read = two_towers.embeddings(two_tower, with_gaps(window))[0, -1]
    np.testing.assert_allclose(found[:8], read, atol=1e-6)
    np.testing.assert_array_equal(found[8:], 0.0)


def test_more_user_control_lowers_more(two_tower):
    """Half-way the towers read half of the dislike; the codes move in proportion."""
    window = [VIEW, DISLIKE]
    found = {c: served(two_tower, window, c) for c in (0.0, 0.5, 1.0, 1.5, 2.0)}
    candidate = two_tower.served_tables()[0].numpy()

    lowered = [found[c][8:] @ candidate[:, 8:].T for c in found]
    # Candidate 1 is the disliked one; i6 shares creator and categories with it.
    for row in (1, 6):
        assert all(np.diff([scores[row] for scores in lowered]) < 0.0)
    np.testing.assert_allclose(
        found[0.5][:8], (found[0.0][:8] + found[1.0][:8]) / 2, atol=1e-6
    )
    np.testing.assert_allclose(found[2.0][:8], found[1.0][:8], atol=1e-6)


def test_requests_of_one_batch_have_their_own_user_control(two_tower):
    window = [VIEW, DISLIKE]
    both = two_towers.make_batch([window, window])
    tables = two_tower.served_tables()

    found = two_tower.served_query(both, *tables, tf.constant([0.5, 2.0]))

    for row, control in enumerate((0.5, 2.0)):
        alone = two_towers.served(two_tower, two_towers.make_batch([window]), control)
        np.testing.assert_allclose(found[row], alone[0], atol=1e-6)


def test_a_history_of_dislikes_has_the_query_of_nobody(two_tower):
    found = served(two_tower, [DISLIKE, (3, "dislike", None, 1.0)])
    nobody = two_towers.make_batch([[]], length=1)

    np.testing.assert_allclose(
        found[:8], two_towers.served(two_tower, nobody)[0, :8], atol=1e-6
    )
    assert np.isfinite(found).all()


def test_unknown_items_take_nothing_away(two_tower):
    found = served(two_tower, [VIEW, (-1, "dislike", None, 0.0)])

    np.testing.assert_array_equal(found[8:], 0.0)


@pytest.mark.parametrize("arm", ["none", "feature", "label", "drop"])
def test_the_path_belongs_to_the_full_arm_alone(arm):
    """Without flag and label together it would answer what the arm cannot see."""
    two_tower = two_towers.make_model(arm, towers=PATH)

    assert two_tower.avoidance is None
    assert served(two_tower, [VIEW, DISLIKE]).shape == (8,)


def test_strength_0_leaves_the_paper_s_model():
    plain = two_towers.make_model()
    window = [VIEW, DISLIKE]

    np.testing.assert_allclose(
        served(plain, window),
        two_towers.embeddings(plain, with_gaps(window))[0, -1],
        atol=1e-6,
    )


def test_a_request_passes_over_no_table_of_all_candidates():
    """Only rows are taken: anything else would cost more in a larger catalogue."""
    two_tower = two_towers.make_model(towers={"avoidance_strength": 1.0})
    served = [np.asarray(table) for table in two_tower.served_tables()]
    number = 97
    tables = [tf.Variable(np.resize(t, (number, *t.shape[1:]))) for t in served]
    batch = two_towers.make_batch(two_towers.WINDOWS)

    @tf.function
    def query():
        return two_tower.served_query(batch, *tables, tf.constant([0.5, 2.0]))

    touched = {
        operation.type
        for operation in query.get_concrete_function().graph.get_operations()
        for output in operation.outputs
        if output.shape.rank and output.shape[0] == number
    }
    assert touched <= {"ReadVariableOp", "Identity"}
