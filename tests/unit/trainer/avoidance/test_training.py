"""What a dislike teaches beside its label, in the model: consumption and avoidance."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.avoidance import codes as avoidance_codes
from components.trainer.avoidance import training as avoidance_training
from tests import two_towers

TOWERS = ("gru", "transformer")
NUM_LABELS = 6
"""Of WINDOWS, of either sign."""
PATHS = ({"similar_neighbours": 2}, {"similar_sets": ()}, {})
"""Codes and network, a network alone, codes alone."""


def scored(two_tower):
    return two_tower.served_candidates()[:6].numpy().astype(np.float64)


def similar_set_loss(two_tower, state, members):
    score = np.exp(state @ scored(two_tower).T)
    return -np.log(1.0 - score[members].sum() / score.sum())


def served(two_tower, batch):
    return two_towers.embeddings(two_tower, batch, num_rows=6).astype(np.float64)


def liked_after_a_dislike(two_tower, state):
    """The only positive label of WINDOWS before which a dislike has not faded: i2."""
    score = np.exp(state[0, 2] @ scored(two_tower).T)
    return -np.log(score[2] / score.sum())


@pytest.mark.parametrize("path", PATHS)
def test_similar_set_term_is_taken_at_the_state_after_the_disliked_item(path):
    term = two_towers.make_model(similar_set_weight=4.0, **path)
    batch = two_towers.make_batch(two_towers.WINDOWS)
    state = served(term, batch)
    # By creator or category set, among the trained: i1 -> i0 i1 i2 (creator 1);
    # i3 -> i3 (creator 2), i0 (the same two categories); i5 resembles nothing.
    expected = 1.0 * similar_set_loss(term, state[0, 2], [0, 1, 2]) + 1.0 * (
        similar_set_loss(term, state[1, 2], [0, 3])
    )

    loss = two_towers.path_training(term).compute_loss(batch)

    expected = 4.0 * expected + liked_after_a_dislike(term, state)
    np.testing.assert_allclose(loss, expected / NUM_LABELS, rtol=1e-4)


@pytest.mark.parametrize("path", PATHS)
def test_nearest_embeddings_count_as_similar(path):
    """Of six candidates the two nearest by cosine, the item itself among them."""
    plain = two_towers.make_model()
    term = two_towers.make_model(similar_set_weight=4.0, **path)
    batch = two_towers.make_batch(two_towers.WINDOWS)
    state = served(term, batch)
    item = plain.candidate_tower(6).numpy().astype(np.float64)
    item /= np.linalg.norm(item, axis=1, keepdims=True)
    nearest = [set(np.argsort(-row)[:2]) for row in item @ item.T]
    by_feature = {1: {0, 1, 2}, 3: {0, 3}, 5: set()}
    # A skip weighs a tenth of a dislike.
    where = ((1, state[0, 2], 1.0), (5, state[0, 4], 0.1), (3, state[1, 2], 1.0))
    members = {row: sorted(by_feature[row] | nearest[row]) for row, _, _ in where}
    expected = sum(w * similar_set_loss(term, q, members[r]) for r, q, w in where)

    loss = two_towers.path_training(term, num_neighbours=2).compute_loss(batch)

    expected = 4.0 * expected + liked_after_a_dislike(term, state)
    np.testing.assert_allclose(loss, expected / NUM_LABELS, rtol=1e-4)
    # Not the sets of the features alone.
    assert any(members[row] != sorted(by_feature[row]) for row in (1, 3))


@pytest.mark.parametrize("query_tower", TOWERS)
def test_a_step_of_the_path_moves_the_path_alone_and_one_of_the_towers_the_rest(
    query_tower,
):
    two_tower = two_towers.make_model(
        query_tower=query_tower, similar_set_weight=4.0, similar_neighbours=2
    )
    training = two_towers.path_training(two_tower, num_neighbours=2)
    batch = two_towers.make_batch(two_towers.WINDOWS)
    path = [v.ref() for v in two_tower.avoidance.trainable_variables]
    every = two_tower.trainable_weights
    assert len(path) == 4

    for trained, is_path in ((training, True), (two_tower, False)):
        trained.compile(optimizer=tf.keras.optimizers.SGD(0.1))
        before = [v.numpy() for v in every]
        trained.train_step(batch)
        changed = [
            v.ref()
            for v, old in zip(every, before, strict=True)
            if np.abs(v.numpy() - old).max() > 1e-6
        ]
        if is_path:
            assert changed == path
        else:
            assert changed
            assert not set(changed) & set(path)


@pytest.mark.parametrize(("liked", "teaches"), [(2, True), (3, False)])
def test_the_path_learns_from_what_is_liked_after_a_dislike_and_was_not_met(
    liked, teaches
):
    """i4 resembles nothing, so that the liked item alone is left to teach."""
    two_tower = two_towers.make_model(
        filter_history=True, similar_set_weight=1.0, similar_neighbours=2
    )
    training = two_towers.path_training(two_tower)
    window = [
        (3, "view", 1.0, 0.0),
        (4, "dislike", None, 0.0),
        (liked, "like", None, 0.0),
    ]
    batch = two_towers.make_batch([window], is_label=[[0, 0, 1]])

    with tf.GradientTape() as tape:
        loss = training.compute_loss(batch)
    gradients = tape.gradient(loss, two_tower.avoidance.trainable_variables)

    assert any(np.any(gradient) for gradient in gradients) == teaches


def test_labels_teach_the_towers_as_if_there_were_no_path():
    batch, found = two_towers.make_batch(two_towers.WINDOWS), []
    for weight in (0.0, 4.0):
        two_tower = two_towers.make_model(similar_set_weight=weight)
        with tf.GradientTape() as tape:
            loss = two_tower.compute_loss(batch)
        gradients = tape.gradient(loss, two_tower.trainable_variables)
        found.append([loss, *(tf.convert_to_tensor(g).numpy() for g in gradients)])

    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_steps_of_the_path_are_two_passes_and_bounded():
    without, with_path = (two_towers.make_model(similar_set_weight=w) for w in (0, 1))

    assert avoidance_training.number_of_steps(without, 70) == 0
    assert avoidance_training.number_of_steps(with_path, 70) == 140
    assert avoidance_training.number_of_steps(with_path, 10**6) == 2_000


def test_served_query_is_moved_by_what_is_left_of_each_dislike():
    """Half is left after each further element; a skip weighs a tenth."""
    plain = two_towers.make_model()
    term = two_towers.make_model(similar_set_weight=4.0, similar_sets=())
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


@pytest.mark.parametrize("user_control", [0.0, 1.0, 2.0])
def test_codes_lower_the_scores_of_the_same_creator_and_category_set(user_control):
    """After a dislike of i1, and by nothing of what shares neither."""
    plain = two_towers.make_model()
    term = two_towers.make_model(similar_set_weight=4.0)
    batch = two_towers.make_batch([[(1, "dislike", None, 0.0)]])
    query = term.served_queries(batch, term.candidate_tower(6), user_control)

    score = query.numpy()[0, 1] @ term.served_candidates().numpy().T

    before = (
        two_towers.embeddings(plain, batch)[0, 1] @ plain.candidate_tower(8).numpy().T
    )
    fall = (before - score) / max(user_control, 1e-9)
    if not user_control:
        np.testing.assert_allclose(score, before, atol=1e-5)
        return
    # By the table of two_towers: i6 shares creator and category set, i0 and i2 the
    # creator; i4, i5 and i7 have neither. Of the sets {1} comes before {1, 2}.
    creator = avoidance_codes.codes(
        tf.constant([1, 1, 1, 2, -1, -1, 1, -1]), 32, 1
    ).numpy()
    category_set = avoidance_codes.codes(
        tf.constant([2, 1, -1, 2, -1, -1, 1, -1]), 32, 2
    ).numpy()
    by_creator, by_set = 10.0 * term.avoidance.codes.trainable_variables[0].numpy()
    away = by_creator * creator[1] + by_set * category_set[1]
    np.testing.assert_allclose(fall, (creator + category_set) @ away, atol=1e-4)
    np.testing.assert_allclose(fall[[4, 5, 7]], 0.0, atol=1e-4)
    np.testing.assert_allclose(fall[6], fall[1], atol=1e-4)


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
