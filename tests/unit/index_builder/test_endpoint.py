import numpy as np
import pytest
import tensorflow as tf

from components.index_builder import endpoint, scann_index
from serving.bundle import catalog
from tests.unit.index_builder import towers_by_hand

NAN = float("nan")

# --- the endpoint, exact ----------------------------------------------------------

ITEMS = ["a", "b", "c", "d", "e"]
# Against a history of "a" alone the scores are 10, 3, 2, 1 and 4.
EMBEDDING = [[10.0, 0.0], [3.0, 1.0], [2.0, 2.0], [1.0, 4.0], [4.0, 8.0]]
UNIT = [[1.0, 0.0], *EMBEDDING[1:]]


@pytest.fixture(scope="module")
def exact():
    return endpoint.RetrievalEndpoint(towers_by_hand.Towers(ITEMS, UNIT), None)


def recommend(served, histories, k, exclude=None, action=None):
    width = max(map(len, histories), default=0)

    def strings(rows, columns, fill=""):
        padded = [[*row, *[fill] * (columns - len(row))] for row in rows]
        return tf.reshape(tf.constant(padded, tf.string), (len(rows), columns))

    exclude = exclude or [[] for _ in histories]
    answer = served.recommend(
        strings(histories, width),
        strings(action or [["view"] * len(row) for row in histories], width),
        tf.zeros((len(histories), width), tf.int64),
        tf.fill((len(histories), width), NAN),
        strings(exclude, max(map(len, exclude), default=0)),
        tf.constant(k, tf.int32),
    )
    return (
        [[item.decode() for item in row] for row in answer["item_id"].numpy()],
        answer["score"].numpy().tolist(),
    )


def test_best_items_outside_the_history_with_their_scores(exact):
    item_id, score = recommend(exact, [["a"]], k=[3])

    assert item_id == [["e", "b", "c"]]
    assert score == [[4.0, 3.0, 2.0]]


def test_dislike_turns_the_answer_round_at_once(exact):
    item_id, score = recommend(exact, [["a"]], k=[4], action=[["dislike"]])

    assert item_id == [["d", "c", "b", "e"]]
    assert score == [[-1.0, -2.0, -3.0, -4.0]]


def test_excluded_items_do_not_count_as_history(exact):
    plain = recommend(exact, [["a"]], k=[4])
    item_id, score = recommend(exact, [["a"]], k=[2], exclude=[["e", "c", "unknown"]])

    assert plain[0] == [["e", "b", "c", "d"]]
    assert item_id == [["b", "d"]]
    assert score == [[3.0, 1.0]]


def test_every_request_gets_its_own_number(exact):
    item_id, score = recommend(exact, [["a"], ["a"], ["a"]], k=[1, 3, 0])

    assert item_id == [["e", "", ""], ["e", "b", "c"], ["", "", ""]]
    assert score == [[4.0, -np.inf, -np.inf], [4.0, 3.0, 2.0], [-np.inf] * 3]


def test_catalogue_that_runs_out_pads(exact):
    item_id, score = recommend(exact, [["a", "b"]], k=[9], exclude=[["d"]])

    # The query is a + b = (4, 1): e scores 24, c 10.
    assert item_id == [["e", "c", *[""] * 7]]
    assert score == [[24.0, 10.0, *[-np.inf] * 7]]


def test_everything_met_leaves_nothing(exact):
    item_id, score = recommend(exact, [ITEMS], k=[2])

    assert item_id == [["", ""]]
    assert score == [[-np.inf, -np.inf]]


def test_k_results_as_long_as_the_catalogue_allows(exact):
    for num_met in range(6):
        for k in range(1, 7):
            item_id, _ = recommend(exact, [ITEMS[:num_met]], k=[k])
            shown = [item for item in item_id[0] if item]
            assert len(shown) == min(k, 5 - num_met)
            assert not set(shown) & set(ITEMS[:num_met])
            assert len(set(shown)) == len(shown)


def test_repeated_and_unknown_history_cannot_eat_into_k(exact):
    item_id, _ = recommend(exact, [["a"] * 20 + ["new"] * 20], k=[4])

    assert sorted(item_id[0]) == ["b", "c", "d", "e"]


def test_empty_history_is_answered(exact):
    item_id, _ = recommend(exact, [[]], k=[5])

    assert sorted(item_id[0]) == ITEMS


def test_no_requests_are_no_answers(exact):
    answer = exact.recommend(
        tf.zeros((0, 0), tf.string),
        tf.zeros((0, 0), tf.string),
        tf.zeros((0, 0), tf.int64),
        tf.zeros((0, 0)),
        tf.zeros((0, 0), tf.string),
        tf.zeros(0, tf.int32),
    )

    assert answer["item_id"].shape == answer["score"].shape == (0, 0)


def test_negative_k_is_none(exact):
    item_id, _ = recommend(exact, [["a"], ["a"]], k=[-3, 1])

    assert item_id == [[""], ["e"]]


# --- exact and approximate against numpy ------------------------------------------

NUM_ITEMS, DIM = 1_000, 8
NAMES = [f"n{i}" for i in range(NUM_ITEMS)]


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(4)
    return towers_by_hand.Towers(NAMES, rng.normal(size=(NUM_ITEMS, DIM)))


def approximate(towers, leaves_searched, num_reordered):
    layer = scann_index.TunableScann(towers.array, scann_index.IndexShape(20))
    layer.effort = scann_index.SearchEffort(leaves_searched, num_reordered)
    return endpoint.RetrievalEndpoint(towers, layer)


@pytest.fixture(scope="module")
def everything_searched(many):
    return approximate(many, leaves_searched=20, num_reordered=NUM_ITEMS)


@pytest.fixture(scope="module")
def one_leaf_searched(many):
    """About 50 candidates a leaf: less than is asked for below."""
    return approximate(many, leaves_searched=1, num_reordered=NUM_ITEMS)


def by_numpy(towers, history, exclude, k):
    met = [NAMES.index(item) for item in history]
    score = towers.array @ towers.array[met].sum(axis=0)
    gone = {*history, *exclude}
    order = [NAMES[i] for i in np.argsort(-score) if NAMES[i] not in gone]
    return order[:k]


@pytest.fixture
def requests(rng):
    histories = [
        [NAMES[i] for i in rng.choice(NUM_ITEMS, size, replace=False)]
        for size in (1, 4, 9)
    ]
    exclude = [[NAMES[i] for i in rng.choice(NUM_ITEMS, 5)] for _ in histories]
    return histories, exclude


@pytest.mark.parametrize("kind", ["exact", "everything_searched"])
def test_exact_setting_is_brute_force(kind, many, everything_searched, requests):
    histories, exclude = requests
    served = {
        "exact": endpoint.RetrievalEndpoint(many, None),
        "everything_searched": everything_searched,
    }[kind]

    item_id, _ = recommend(served, histories, k=[20, 7, 50], exclude=exclude)

    for row, k in enumerate([20, 7, 50]):
        shown = [item for item in item_id[row] if item]
        assert shown == by_numpy(many, histories[row], exclude[row], k)


def test_leaves_that_run_short_are_searched_exactly(many, one_leaf_searched, requests):
    histories, exclude = requests

    item_id, _ = recommend(one_leaf_searched, histories, k=[400] * 3, exclude=exclude)

    for row in range(3):
        assert item_id[row] == by_numpy(many, histories[row], exclude[row], 400)


def test_approximate_answers_hold_k_new_items(one_leaf_searched, requests):
    histories, exclude = requests

    item_id, score = recommend(
        one_leaf_searched, histories, k=[10] * 3, exclude=exclude
    )

    for row in range(3):
        assert "" not in item_id[row]
        assert len(set(item_id[row]) - {*histories[row], *exclude[row]}) == 10
        assert score[row] == sorted(score[row], reverse=True)


def test_answer_does_not_depend_on_who_else_asks(one_leaf_searched, requests):
    """One request whose leaves run short must not change its neighbours' answers."""
    histories, exclude = requests
    # In the same batch: which leaf a query falls into where two are about as near is
    # decided by ScaNN with the whole batch.
    alone = recommend(one_leaf_searched, histories[:2], [10, 10], exclude[:2])
    # The neighbour asks for more than its leaf holds.
    beside = recommend(one_leaf_searched, histories[:2], [10, 300], exclude[:2])

    assert beside[0][0][:10] == alone[0][0][:10]
    assert beside[1][0][:10] == pytest.approx(alone[1][0][:10], abs=1e-4)


def test_export_answers_as_the_endpoint_in_memory(tmp_path, exact):
    endpoint.export(exact, str(tmp_path / "model"))

    loaded = tf.saved_model.load(str(tmp_path / "model"))
    answer = loaded.signatures["serving_default"](
        history_item_id=tf.constant([["a"]]),
        history_action=tf.constant([["dislike"]]),
        history_timestamp=tf.constant([[0]], tf.int64),
        history_value=tf.constant([[NAN]]),
        exclude_item_id=tf.constant([["c"]]),
        k=tf.constant([2], tf.int32),
    )

    assert answer["item_id"].numpy().tolist() == [[b"d", b"b"]]
    assert answer["score"].numpy().tolist() == [[-1.0, -3.0]]


def test_each_request_has_its_own_user_control(tmp_path, exact):
    """Items a to d of `UNIT`; b is liked, a disliked once, not at all, or twice."""
    endpoint.export(exact, str(tmp_path / "model"))
    controlled = tf.saved_model.load(str(tmp_path / "model")).signatures["controlled"]
    control = [NAN, 0.0, 2.0]

    answer = controlled(
        history_item_id=tf.constant([["b", "a"]] * 3),
        history_action=tf.constant([["like", "dislike"]] * 3),
        history_timestamp=tf.zeros((3, 2), tf.int64),
        history_value=tf.fill((3, 2), NAN),
        exclude_item_id=tf.zeros((3, 0), tf.string),
        k=tf.constant([2] * 3, tf.int32),
        user_control=tf.constant(control),
    )

    for row, times in enumerate((1.0, 0.0, 2.0)):
        score = UNIT @ (np.array(UNIT[1]) - times * np.array(UNIT[0]))
        best = np.sort(score[2:])[::-1][:2]
        np.testing.assert_allclose(answer["score"][row], best, atol=1e-6)


# --- withdrawn items, and the signature `filtered` -----------------------------------


def items_of(**given):
    """Catalogue items from `name=(creator, categories)`."""
    return {
        name.encode(): catalog.Item(
            creator_id=creator.encode(),
            categories=tuple(c.encode() for c in categories),
        )
        for name, (creator, categories) in given.items()
    }


LABELLED = items_of(
    a=("x", ["news"]), b=("x", ["news", "sport"]), c=("y", ["sport"]), d=("y", [])
)


def filtered(served, histories, k, category, creator, exclude=None):
    def strings(rows):
        columns = max(map(len, rows), default=0)
        padded = [[*row, *[""] * (columns - len(row))] for row in rows]
        return tf.reshape(tf.constant(padded, tf.string), (len(rows), columns))

    history = strings(histories)
    answer = served.recommend_filtered(
        history,
        tf.fill(tf.shape(history), "view"),
        tf.zeros(tf.shape(history), tf.int64),
        tf.fill(tf.shape(history), NAN),
        strings(exclude or [[] for _ in histories]),
        tf.constant(k, tf.int32),
        strings(category),
        strings(creator),
    )
    return (
        [[item.decode() for item in row] for row in answer["item_id"].numpy()],
        answer["score"].numpy().tolist(),
    )


@pytest.fixture(scope="module")
def labelled():
    return endpoint.RetrievalEndpoint(
        towers_by_hand.Towers(ITEMS, UNIT), None, items=LABELLED
    )


@pytest.mark.parametrize(
    ("category", "creator", "expected"),
    [
        (["news"], [], ["b"]),  # a is the history
        (["sport"], [], ["b", "c"]),
        (["sport", "news"], [], ["b", "c"]),
        ([], ["y"], ["c", "d"]),
        (["sport"], ["y"], ["c"]),
        (["news"], ["y"], []),
        (["no such"], [], []),
        ([], ["no such", "x"], ["b"]),
        ([], [], ["e", "b", "c", "d"]),  # no restriction
    ],
)
def test_filter_by_category_and_creator(labelled, category, creator, expected):
    item_id, score = filtered(labelled, [["a"]], [4], [category], [creator])

    assert item_id == [[*expected, *[""] * (4 - len(expected))]]
    assert score[0][len(expected) :] == [-np.inf] * (4 - len(expected))
    assert score[0] == sorted(score[0], reverse=True)


def test_each_request_has_its_own_filter(labelled):
    item_id, _ = filtered(
        labelled,
        [["a"], ["a"], ["a"]],
        [2, 1, 4],
        [["sport"], [], ["news", "sport"]],
        [[], ["y"], []],
        exclude=[[], ["c"], ["b"]],
    )

    assert item_id == [["b", "c", "", ""], ["d", "", "", ""], ["c", "", "", ""]]


def test_filter_never_loses_results_whatever_the_index_searches(many, requests):
    """One leaf searched would hold few items of a label: the filter comes first."""
    labels = {
        name.encode(): catalog.Item(categories=(b"even" if i % 2 == 0 else b"odd",))
        for i, name in enumerate(NAMES)
    }
    layer = scann_index.TunableScann(many.array, scann_index.IndexShape(20))
    layer.effort = scann_index.SearchEffort(1, NUM_ITEMS)
    served = endpoint.RetrievalEndpoint(many, layer, items=labels)
    histories, exclude = requests

    item_id, _ = filtered(
        served, histories, [100] * 3, [["even"]] * 3, [[]] * 3, exclude
    )

    for row in range(3):
        order = by_numpy(many, histories[row], exclude[row], NUM_ITEMS)
        assert item_id[row] == [n for n in order if int(n[1:]) % 2 == 0][:100]


@pytest.mark.parametrize("with_index", [False, True])
def test_withdrawn_items_are_never_recommended_but_understood_in_histories(
    many, with_index
):
    """The history is of withdrawn items; the answer is numpy's without them."""
    servable = np.arange(100, NUM_ITEMS, dtype=np.int32)
    layer = None
    if with_index:
        layer = scann_index.TunableScann(
            many.array[servable], scann_index.IndexShape(20)
        )
        layer.effort = scann_index.SearchEffort(20, NUM_ITEMS)
    served = endpoint.RetrievalEndpoint(many, layer, servable)
    history = ["n3", "n50", "n500"]

    item_id, score = recommend(served, [history], [30], [["n501", "n7"]])

    order = by_numpy(many, history, ["n501"], NUM_ITEMS)
    expected = [n for n in order if int(n[1:]) >= 100][:30]
    assert item_id[0] == expected
    query = many.array[[3, 50, 500]].sum(axis=0)
    assert score[0][0] == pytest.approx(
        float(query @ many.array[int(expected[0][1:])]), rel=1e-4
    )


def test_zero_vectors_are_candidates_that_score_zero(many):
    array = many.array.copy()
    array[::10] = 0.0
    layer = scann_index.TunableScann(array, scann_index.IndexShape(20))
    layer.effort = scann_index.SearchEffort(20, NUM_ITEMS)
    served = endpoint.RetrievalEndpoint(towers_by_hand.Towers(NAMES, array), layer)

    item_id, score = recommend(served, [["n1"]], [NUM_ITEMS])

    shown = dict(zip(item_id[0], score[0], strict=True))
    assert len([item for item in item_id[0] if item]) == NUM_ITEMS - 1
    assert shown["n10"] == shown["n990"] == pytest.approx(0.0, abs=1e-6)
