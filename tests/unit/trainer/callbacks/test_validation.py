import math

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.callbacks import validation
from tests import two_towers

WINDOWS = [
    [
        (0, "view", 1.0, 0.0),
        (1, "dislike|view", 0.5, 1.0),
        (7, "like", None, 0.5),
        (0, "view", 0.1, 0.1),
    ],
    [(4, "view", 0.3, 0.0), (-1, "like", None, 0.0), (3, "dislike", None, 0.0)],
]


@pytest.fixture(autouse=True)
def _eager():
    """Tracing a GRU takes seconds; the tests of the Trainer run it as a graph."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module", params=["gru"])
def two_tower(request):
    return two_towers.make_model(query_tower=request.param)


def dataset(*batches):
    def generate():
        yield from batches

    spec = {
        name: tf.TensorSpec([None, None], tensor.dtype)
        for name, tensor in two_towers.make_batch(WINDOWS).items()
    }
    return tf.data.Dataset.from_generator(generate, output_signature=spec)


def ranks_by_hand(two_tower, windows, is_label):
    """Sorts all candidates that the user has not met before, one label at a time."""
    candidate = two_tower.candidate_tower(two_towers.NUM_CANDIDATES).numpy()
    state = two_towers.embeddings(two_tower, two_towers.make_batch(windows))
    ranks = []
    for row, window in enumerate(windows):
        for position, (label, actions, *_) in enumerate(window):
            if label < 0 or not is_label[row][position]:
                continue
            score = candidate @ state[row, position]
            met = {element[0] for element in window[:position]}
            order = [c for c in np.argsort(-score) if c not in met]
            # What was met cannot be recommended: it comes after every candidate.
            rank = len(candidate) if label in met else order.index(label)
            ranks.append((rank, "dislike" in actions))
    return ranks


@pytest.mark.parametrize("two_tower", ["gru", "transformer"], indirect=True)
def test_ranks_are_those_of_sorting_what_was_not_met_before(two_tower):
    is_label = [[1, 1, 1, 1], [0, 1, 1, 1]]
    batch = two_towers.make_batch(WINDOWS, is_label=is_label)

    rank, negative = validation.label_ranks(two_tower, dataset(batch))

    expected = ranks_by_hand(two_tower, WINDOWS, is_label)
    assert list(zip(rank.tolist(), negative.tolist(), strict=True)) == expected
    assert len(set(rank.tolist())) > 2  # not all the same by accident


def test_met_items_are_filtered_even_where_they_score_best(two_tower):
    # Every candidate but the label has been met: only the label is left.
    window = [(c, "view", 1.0, 0.0) for c in (0, 1, 2, 3, 4, 5, 6)] + [
        (7, "like", None, 0.0)
    ]
    batch = two_towers.make_batch([window], is_label=[[0] * 7 + [1]])

    rank, _ = validation.label_ranks(two_tower, dataset(batch))

    assert rank.tolist() == [0]


def test_batches_are_joined_in_order(two_tower):
    first, second = (two_towers.make_batch([window]) for window in WINDOWS)
    together = two_towers.make_batch(WINDOWS)

    apart, _ = validation.label_ranks(two_tower, dataset(first, second))

    np.testing.assert_array_equal(
        apart, validation.label_ranks(two_tower, dataset(together))[0]
    )


def test_empty_split_has_no_ranks(two_tower):
    rank, negative = validation.label_ranks(two_tower, dataset())

    assert rank.shape == negative.shape == (0,)


def test_ndcg_worked_by_hand():
    # 1 / log2(2) = 1, 1 / log2(4) = .5, rank 10 is the eleventh place.
    assert validation.ndcg_at_k(np.array([0, 2, 10, 50]), 10) == pytest.approx(1.5 / 4)
    assert validation.ndcg_at_k(np.array([9]), 10) == pytest.approx(1 / math.log2(11))
    assert math.isnan(validation.ndcg_at_k(np.array([], np.int64), 10))


def test_callback_logs_positive_and_negative_labels_apart(two_tower):
    batch = two_towers.make_batch(WINDOWS)
    rank, negative = (
        np.array(column)
        for column in zip(
            *ranks_by_hand(two_tower, WINDOWS, np.ones((2, 4))), strict=True
        )
    )
    gain = np.where(rank < 10, 1 / np.log2(rank + 2), 0)
    callback = validation.RankingValidation(dataset(batch))
    callback.set_model(two_tower)
    logs = {"loss": 1.0}

    callback.on_epoch_end(0, logs)

    assert logs["val_ndcg@10"] == pytest.approx(gain[~negative].mean())
    assert logs["val_negative_ndcg@10"] == pytest.approx(gain[negative].mean())


def test_callback_logs_nothing_where_there_is_nothing_to_rank(two_tower):
    # A NaN would be monitored: early stopping takes it for no progress at all, stops,
    # and restores the weights of the first epoch.
    callback = validation.RankingValidation(dataset())
    callback.set_model(two_tower)
    logs = {"loss": 1.0}

    callback.on_epoch_end(0, logs)

    assert logs == {"loss": 1.0}


def test_callback_leaves_out_negatives_where_there_are_none(two_tower):
    batch = two_towers.make_batch([[(0, "view", 1.0, 0.0), (1, "like", None, 0.0)]])
    callback = validation.RankingValidation(dataset(batch))
    callback.set_model(two_tower)
    logs = {}

    callback.on_epoch_end(0, logs)

    assert set(logs) == {"val_ndcg@10"}


@pytest.mark.parametrize(
    ("max_labels", "num_candidates", "expected"),
    [
        (10_000, 1, 10_000),
        (10_000, 100_000, 10_000),  # a billion scores
        (10_000, 250_000, 4_000),
        (10_000, 1_000_000, 1_000),
        (10_000, 50_000_000, 1_000),
        (300, 1_000_000, 300),
    ],
)
def test_large_catalogues_rank_fewer_labels(max_labels, num_candidates, expected):
    found = validation.affordable_labels(max_labels, num_candidates)

    assert found == expected
