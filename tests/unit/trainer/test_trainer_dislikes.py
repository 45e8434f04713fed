"""What a dislike teaches beside its label, in the model: consumption and avoidance."""

import numpy as np
import pytest
import tensorflow as tf
import two_towers

TOWERS = ("gru", "transformer")
# One window of four teaches the avoidance path: the first and the fifth stand for all
# eight. Four of each kind: 24 labels.
EIGHT_WINDOWS = [two_towers.WINDOWS[n] for n in (0, 1, 0, 1, 1, 1, 0, 0)]
TAUGHT_SHARE = 8 / 2 / 24


def similar_set_loss(two_tower, state, members):
    score = np.exp(state @ two_tower.candidate_tower(6).numpy().astype(np.float64).T)
    return -np.log(1.0 - score[members].sum() / score.sum())


def served(two_tower, batch):
    return two_towers.embeddings(two_tower, batch, num_rows=6).astype(np.float64)


def liked_after_a_dislike(two_tower, state):
    """The only positive label of WINDOWS before which a dislike is still felt: i2."""
    score = np.exp(state[0, 2] @ two_tower.candidate_tower(6).numpy().T)
    return -np.log(score[2] / score.sum())


def test_similar_set_term_is_taken_at_the_state_after_the_disliked_item():
    plain = two_towers.make_model()
    term = two_towers.make_model(similar_set_weight=4.0)
    batch = two_towers.make_batch(EIGHT_WINDOWS)
    state = served(term, batch)
    # By creator or category set, among the trained: i1 -> i0 i1 i2 (creator 1);
    # i3 -> i3 (creator 2), i0 (the same two categories); i5 resembles nothing.
    expected = 1.0 * similar_set_loss(plain, state[0, 2], [0, 1, 2]) + 1.0 * (
        similar_set_loss(plain, state[4, 2], [0, 3])
    )

    difference = term.compute_loss(batch) - plain.compute_loss(batch)

    expected = 4.0 * expected + liked_after_a_dislike(plain, state)
    np.testing.assert_allclose(difference, expected * TAUGHT_SHARE, rtol=1e-4)


def test_nearest_embeddings_count_as_similar():
    """Of six candidates the two nearest by cosine, the item itself among them."""
    plain = two_towers.make_model()
    term = two_towers.make_model(similar_set_weight=4.0, similar_neighbours=2)
    batch = two_towers.make_batch(EIGHT_WINDOWS)
    state = served(term, batch)
    item = plain.candidate_tower(6).numpy().astype(np.float64)
    item /= np.linalg.norm(item, axis=1, keepdims=True)
    nearest = [set(np.argsort(-row)[:2]) for row in item @ item.T]
    by_feature = {1: {0, 1, 2}, 3: {0, 3}, 5: set()}
    # A skip weighs a tenth of a dislike.
    where = ((1, state[0, 2], 1.0), (5, state[0, 4], 0.1), (3, state[4, 2], 1.0))
    members = {row: sorted(by_feature[row] | nearest[row]) for row, _, _ in where}
    expected = sum(w * similar_set_loss(plain, q, members[r]) for r, q, w in where)

    difference = term.compute_loss(batch) - plain.compute_loss(batch)

    expected = 4.0 * expected + liked_after_a_dislike(plain, state)
    np.testing.assert_allclose(difference, expected * TAUGHT_SHARE, rtol=1e-4)
    # Not the sets of the features alone.
    assert any(members[row] != sorted(by_feature[row]) for row in (1, 3))


@pytest.mark.parametrize("query_tower", TOWERS)
def test_avoidance_teaches_its_own_path_alone(query_tower):
    """Towers learn from the labels what they learn without it, to the last bit."""
    batch, found = two_towers.make_batch(two_towers.WINDOWS), []
    for weight in (0.0, 4.0):
        two_tower = two_towers.make_model(
            query_tower=query_tower, similar_set_weight=weight, similar_neighbours=2
        )
        towers = (two_tower.query_tower, two_tower.candidate_tower)
        weights = [v for tower in towers for v in tower.trainable_variables]
        own = [] if two_tower.avoidance is None else two_tower.avoidance.weights
        with tf.GradientTape() as tape:
            loss = two_tower.compute_loss(batch)
        gradients = tape.gradient(loss, [*weights, *own])
        found.append([tf.convert_to_tensor(g).numpy() for g in gradients])

    without, with_path = found
    for one, other in zip(without, with_path, strict=False):
        np.testing.assert_array_equal(one, other)
    assert len(with_path) == len(without) + 3
    assert all(np.abs(g).max() > 1e-4 for g in with_path[len(without) :])


def test_served_query_is_moved_by_what_is_left_of_each_dislike():
    """Half is left after each further element; a skip weighs a tenth."""
    plain = two_towers.make_model()
    term = two_towers.make_model(similar_set_weight=4.0)
    batch = two_towers.make_batch(two_towers.WINDOWS[:1])
    item = plain.candidate_tower(6).numpy()
    hidden, output, direct = (w.numpy() for w in term.avoidance.weights)

    def away(row):
        return np.tanh(item[row] @ hidden) @ output + item[row] @ direct

    moved = (
        two_towers.embeddings(term, batch)[0] - two_towers.embeddings(plain, batch)[0]
    )

    expected = [0, 0, away(1), 0.5 * away(1), 0.25 * away(1) + 0.1 * away(5)]
    for position, value in enumerate(expected):
        np.testing.assert_allclose(moved[position], value, atol=1e-5)


@pytest.mark.parametrize("arm", ["label", "feature_and_label"])
def test_consumption_term_retrieves_what_was_disliked_with_a_query_of_its_own(arm):
    plain = two_towers.make_model(arm)
    term = two_towers.make_model(arm, consumption_weight=3.0)
    batch = two_towers.make_batch(two_towers.WINDOWS)
    term.compute_loss(batch)
    rng = np.random.default_rng(5)
    shift_to = [rng.normal(size=v.shape) for v in term.consumption_query.weights]
    for variable, value in zip(term.consumption_query.weights, shift_to, strict=True):
        variable.assign(value)
    query = two_towers.embeddings(plain, batch).astype(np.float64) @ shift_to[0]
    score = np.exp((query + shift_to[1]) @ plain.candidate_tower(6).numpy().T)
    p = score / score.sum(axis=-1, keepdims=True)
    # dislike|view of i1, skip of i5 (weight .1), dislike of i3, before each element.
    expected = -np.log(p[0, 1, 1]) - 0.1 * np.log(p[0, 3, 5]) - np.log(p[1, 1, 3])

    difference = term.compute_loss(batch) - plain.compute_loss(batch)

    np.testing.assert_allclose(difference, 3.0 * expected / 6, rtol=1e-4)
    np.testing.assert_array_equal(
        two_towers.embeddings(plain, batch), two_towers.embeddings(term, batch)
    )


@pytest.mark.parametrize("arm", ["none", "feature", "drop"])
def test_consumption_term_belongs_to_the_arms_with_labels(arm):
    batch = two_towers.make_batch(two_towers.WINDOWS)

    with_term = two_towers.make_model(arm, consumption_weight=3.0).compute_loss(batch)

    np.testing.assert_array_equal(
        with_term, two_towers.make_model(arm).compute_loss(batch)
    )


@pytest.mark.parametrize("arm", ["none", "feature", "label", "drop"])
def test_similar_set_term_belongs_to_the_full_arm_alone(arm):
    """Without flag and label together it would punish what the model cannot see."""
    batch = two_towers.make_batch(two_towers.WINDOWS)

    with_term = two_towers.make_model(arm, similar_set_weight=4.0).compute_loss(batch)

    np.testing.assert_array_equal(
        with_term, two_towers.make_model(arm).compute_loss(batch)
    )
