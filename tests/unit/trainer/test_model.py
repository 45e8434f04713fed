"""The arms in the model, and the loss against a numpy oracle that takes the states."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import input_fn
from components.trainer.losses import window_labels
from schema import features
from tests import two_towers

TOWERS = ("gru", "transformer")
HISTORY = [
    (0, "view", 0.75, 0.0),
    (3, "like", None, 1.5),
    (1, "view", 1.0, 0.25),
    (5, "view", 0.5, 2.0),
]


def with_action(history, position, actions):
    changed = list(history)
    row, _, value, log_gap = changed[position]
    changed[position] = (row, actions, value, log_gap)
    return changed


@pytest.mark.parametrize("query_tower", TOWERS)
@pytest.mark.parametrize("position", range(len(HISTORY)))
@pytest.mark.parametrize("arm", ["none", "label"])
def test_arms_without_the_feature_cannot_tell_a_dislike(arm, position, query_tower):
    two_tower = two_towers.make_model(arm, query_tower)
    shown = HISTORY[position][1]
    treated = with_action(HISTORY, position, f"dislike|{shown}")

    # "As the control action", which is view: a disliked like is a like and a view.
    control = with_action(HISTORY, position, "|".join({shown, "view"}))

    before = two_towers.embeddings(two_tower, two_towers.make_batch([control]))
    after = two_towers.embeddings(two_tower, two_towers.make_batch([treated]))

    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("query_tower", TOWERS)
@pytest.mark.parametrize("arm", ["feature", "feature_and_label"])
def test_arms_with_the_feature_see_a_dislike_from_there_on(arm, query_tower):
    two_tower = two_towers.make_model(arm, query_tower)
    treated = with_action(HISTORY, 2, "dislike|view")

    before = two_towers.embeddings(two_tower, two_towers.make_batch([HISTORY]))
    after = two_towers.embeddings(two_tower, two_towers.make_batch([treated]))

    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (np.abs(before - after)[:, 3:].max(axis=-1) > 1e-3).all()


@pytest.mark.parametrize("query_tower", TOWERS)
@pytest.mark.parametrize("position", range(len(HISTORY)))
def test_arm_drop_forgets_the_disliked_element(position, query_tower):
    two_tower = two_towers.make_model("drop", query_tower)
    treated = with_action(HISTORY, position, "dislike|view")
    removed = HISTORY[:position] + HISTORY[position + 1 :]

    after = two_towers.embeddings(two_tower, two_towers.make_batch([treated]))
    without = two_towers.embeddings(two_tower, two_towers.make_batch([removed]))

    np.testing.assert_allclose(after[:, -1], without[:, -1], atol=1e-5)
    # And its own state says nothing of it: that of the element before.
    np.testing.assert_array_equal(after[:, position + 1], after[:, position])


@pytest.mark.parametrize("query_tower", TOWERS)
def test_arm_drop_with_everything_disliked_is_an_empty_history(query_tower):
    two_tower = two_towers.make_model("drop", query_tower)
    disliked = [(row, "dislike", None, gap) for row, _, _, gap in HISTORY]

    state = two_towers.embeddings(two_tower, two_towers.make_batch([disliked]))

    np.testing.assert_array_equal(state, np.repeat(state[:, :1], 5, axis=1))


def test_unknown_items_are_elements_without_a_direction():
    two_tower = two_towers.make_model()
    unknown = [(-1, *HISTORY[0][1:]), *HISTORY[1:]]
    beyond = [(7, *HISTORY[0][1:]), *HISTORY[1:]]

    nothing = two_towers.embeddings(two_tower, two_towers.make_batch([unknown]))
    not_given = two_towers.embeddings(
        two_tower, two_towers.make_batch([beyond]), num_rows=6
    )

    np.testing.assert_array_equal(nothing, not_given)
    assert not np.allclose(
        nothing, two_towers.embeddings(two_tower, two_towers.make_batch([beyond]))
    )


# --- the loss ---------------------------------------------------------------------


def label_losses(two_tower, windows, temperature=1.0):
    """Positive and negative loss of every element as a label, in float64."""
    state = two_towers.embeddings(two_tower, two_towers.make_batch(windows))
    candidate = two_tower.candidate_tower(two_towers.NUM_TRAINED).numpy()
    losses = []
    for row, window in zip(state.astype(np.float64), windows, strict=True):
        for position, (label, *_) in enumerate(window):
            score = np.exp(row[position] @ candidate.T / temperature)
            p = score[label] / score.sum()
            losses.append((-np.log(p), -np.log1p(-p)))
    return losses


@pytest.mark.parametrize("query_tower", TOWERS)
@pytest.mark.parametrize(
    ("arm", "positive", "negative"),
    [
        # Weights of the six elements, in order: view, dislike|view, like, skip; view,
        # dislike.
        ("none", [0.5, 0.5, 1.0, 0.5, 0.5, 0.5], [0] * 6),
        ("feature", [0.5, 0, 1.0, 0, 0.5, 0], [0] * 6),
        ("drop", [0.5, 0, 1.0, 0, 0.5, 0], [0] * 6),
        ("label", [0.5, 0, 1.0, 0, 0.5, 0], [0, 1, 0, 0.1, 0, 1]),
        ("feature_and_label", [0.5, 0, 1.0, 0, 0.5, 0], [0, 1, 0, 0.1, 0, 1]),
    ],
)
def test_loss_is_the_weighted_sum_over_the_number_of_labels(
    arm, positive, negative, query_tower
):
    two_tower = two_towers.make_model(
        arm, query_tower, temperature=0.5, negative_weight=3.0
    )
    losses = label_losses(two_tower, two_towers.WINDOWS, temperature=0.5)
    total = sum(
        r * plus + 3.0 * w * minus
        for (plus, minus), r, w in zip(losses, positive, negative, strict=True)
    )
    num_labels = np.count_nonzero(positive) + np.count_nonzero(negative)

    loss = two_tower.compute_loss(two_towers.make_batch(two_towers.WINDOWS))

    np.testing.assert_allclose(loss, total / num_labels, rtol=1e-5)


def test_negative_weight_zero_is_the_feature_arm():
    sweep = two_towers.make_model("feature_and_label", negative_weight=0.0)
    feature = two_towers.make_model("feature")
    batch = two_towers.make_batch(two_towers.WINDOWS)

    np.testing.assert_array_equal(
        sweep.compute_loss(batch), feature.compute_loss(batch)
    )


@pytest.mark.parametrize("query_tower", TOWERS)
def test_pads_do_not_change_the_loss(query_tower):
    two_tower = two_towers.make_model(query_tower=query_tower)

    short = two_tower.compute_loss(two_towers.make_batch(two_towers.WINDOWS))
    long = two_tower.compute_loss(two_towers.make_batch(two_towers.WINDOWS, length=8))

    np.testing.assert_allclose(short, long, rtol=1e-6)


def test_masked_labels_are_dropped_labels():
    """Context, unknown items and items never trained are inputs, but no labels."""
    two_tower = two_towers.make_model()
    window = [
        (0, "view", 1.0, 0.0),
        (6, "like", None, 1.0),
        (-1, "dislike", None, 1.0),
        (2, "like", None, 0.5),
    ]
    is_label = [[0, 1, 1, 1]]
    state = two_tower.query_embeddings(
        two_towers.make_batch([window]),
        two_tower.candidate_tower(two_towers.NUM_TRAINED),
    ).numpy()[0, 3]
    score = np.exp(state @ two_tower.candidate_tower(6).numpy().T)

    loss = two_tower.compute_loss(two_towers.make_batch([window], is_label=is_label))

    np.testing.assert_allclose(loss, -np.log(score[2] / score.sum()), rtol=1e-5)


@pytest.mark.parametrize("softmax", ["full", "sampled"])
def test_mixed_precision_rounds_the_scores_and_nothing_else(softmax):
    """Bfloat16 keeps eight bits: losses and gradients agree within a hundredth."""
    batch, found = two_towers.make_batch(two_towers.WINDOWS), []
    for mixed_precision in (False, True):
        two_tower = two_towers.make_model(
            softmax=softmax, mixed_precision=mixed_precision
        )
        with tf.GradientTape() as tape:
            loss = two_tower.compute_loss(batch)
        weights = two_tower.trainable_weights
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, weights)]
        assert {loss.dtype, *(g.dtype for g in gradients)} == {tf.float32}
        found.append([loss, *gradients])

    exact, rounded = found
    assert float(exact[0]) != float(rounded[0])
    for one, other in zip(exact, rounded, strict=True):
        scale = float(tf.reduce_max(tf.abs(one)))
        np.testing.assert_allclose(one, other, atol=0.02 * scale)


@pytest.mark.parametrize("again", ["like", "dislike"])
def test_what_was_met_cannot_be_recommended_and_is_no_label(again):
    """After i3 was met it leaves the softmax; met again, it teaches nothing."""
    two_tower = two_towers.make_model(
        filter_history=True, negative_weight=3.0, consumption_weight=1.0
    )
    window = [
        (3, "view", 1.0, 0.0),
        (1, "like", None, 1.0),
        (-1, "view", 1.0, 1.0),
        (3, again, None, 0.5),
    ]
    batch = two_towers.make_batch([window], is_label=[[0, 1, 0, 1]])
    state = two_towers.embeddings(two_tower, batch, num_rows=6)[0].astype(np.float64)
    score = np.exp(state @ two_tower.candidate_tower(6).numpy().T)
    p_liked = score[1, 1] / (score[1].sum() - score[1, 3])

    loss = two_tower.compute_loss(batch)

    np.testing.assert_allclose(loss, -np.log(p_liked), rtol=1e-5)


def test_what_was_met_leaves_the_softmax_of_a_dislike():
    two_tower = two_towers.make_model(filter_history=True, negative_weight=3.0)
    window = [(3, "view", 1.0, 0.0), (1, "dislike", None, 1.0)]
    batch = two_towers.make_batch([window], is_label=[[0, 1]])
    state = two_towers.embeddings(two_tower, batch, num_rows=6)[0].astype(np.float64)
    score = np.exp(state @ two_tower.candidate_tower(6).numpy().T)
    p = score[1, 1] / (score[1].sum() - score[1, 3])

    loss = two_tower.compute_loss(batch)

    np.testing.assert_allclose(loss, -3.0 * np.log(1.0 - p), rtol=1e-5)


def test_a_label_that_was_met_counts_where_history_is_not_filtered():
    two_tower = two_towers.make_model(filter_history=False)
    window = [(3, "view", 1.0, 0.0), (3, "like", None, 0.5)]
    once = two_towers.make_batch([window], is_label=[[0, 1]])

    assert two_tower.compute_loss(once).numpy() > 0.5


def test_repeats_by_hand():
    row = tf.constant([[3, 1, 3, 3], [-1, 2, -1, 1]])
    found = window_labels.is_repeated(row).numpy().tolist()
    assert found == [[False, False, True, True], [False] * 4]


@pytest.mark.parametrize("actions", ["view", "dislike"])
def test_batch_without_labels_costs_nothing_and_has_no_nan_gradient(actions):
    two_tower = two_towers.make_model(dislike_dropout=0.5)
    batch = two_towers.make_batch([[(0, actions, None, 0.0)]], is_label=[[0]])
    with tf.GradientTape() as tape:
        loss = two_tower.compute_loss(batch, training=True)
    gradients = tape.gradient(loss, two_tower.trainable_weights)

    assert loss.numpy() == 0.0
    for gradient in gradients:
        if gradient is not None:
            assert np.isfinite(tf.convert_to_tensor(gradient)).all()


@pytest.mark.parametrize("draws", [(40_000, 1), (0, 40_000), (20_000, 20_000)])
@pytest.mark.parametrize("arm", ["feature", "label"])
def test_sampled_softmax_estimates_the_full_one(arm, draws):
    """Of 6 candidates 40,000 are drawn: each is met often, and the correction shows.

    Uncorrected, log(40,000 / 6) = 8.8 would be added to every denominator.
    """
    in_batch, uniform = draws
    sampled = two_towers.make_model(
        arm, softmax="sampled", sampled_in_batch=in_batch, sampled_uniform=uniform
    )
    full = two_towers.make_model(arm, softmax="full")
    # Labels in the shares that the table's counts give: 10, 9, 8, 7, 6, 5 of 45.
    windows = [
        [(row, "dislike" if n % 3 == 0 else "view", 1.0, 0.5)]
        for row in range(6)
        for n in range(10 - row)
    ]
    batch = two_towers.make_batch(windows)

    exact = full.compute_loss(batch)

    np.testing.assert_allclose(sampled.compute_loss(batch), exact, rtol=0.02)


def test_training_step_makes_a_disliked_item_less_likely():
    two_tower = two_towers.make_model("label")
    window = [[(0, "view", 1.0, 0.0), (1, "dislike", None, 1.0)]]
    batch = two_towers.make_batch(window, is_label=[[0, 1]])

    def probability():
        state = two_towers.embeddings(two_tower, batch, num_rows=6)[0, 1]
        score = np.exp(state @ two_tower.candidate_tower(6).numpy().T)
        return score[1] / score.sum()

    before = probability()
    with tf.GradientTape() as tape:
        loss = two_tower.compute_loss(batch, training=True)
    for variable, gradient in zip(
        two_tower.trainable_weights,
        tape.gradient(loss, two_tower.trainable_weights),
        strict=True,
    ):
        if gradient is not None:
            variable.assign_sub(0.01 * tf.convert_to_tensor(gradient))

    assert probability() < before


def test_inputs_are_the_promised_names():
    assert set(two_towers.make_batch(two_towers.WINDOWS)) == {
        input_fn.CANDIDATE_ROW,
        input_fn.IS_ELEMENT,
        features.ACTION_SET,
        features.VALUE,
        features.VALUE_PRESENT,
        features.LOG_GAP,
        features.KEPT_LOG_GAP,
        features.IS_LABEL,
    }


def test_dislike_dropout_hides_its_share_of_dislikes_and_nothing_else():
    two_tower = two_towers.make_model(dislike_dropout=0.25)
    window = [(0, "view", 1.0, 0.0), (1, "dislike|view", 0.5, 1.0)] * 4
    batch = two_towers.make_batch([window] * 500)

    hidden = two_tower._drawn_dislikes(batch, training=True).numpy()

    assert not hidden[:, ::2].any()
    # 2,000 draws: three deviations are .029.
    assert hidden[:, 1::2].mean() == pytest.approx(0.25, abs=0.03)
    assert not two_tower._drawn_dislikes(batch, training=False).numpy().any()


@pytest.mark.parametrize("query_tower", ["gru", "transformer"])
def test_a_hidden_dislike_is_no_input_and_still_a_label(query_tower):
    """All are hidden: the loss is that of queries that never read the dislike."""
    hidden = two_towers.make_model(query_tower=query_tower, dislike_dropout=1.0)
    window = [
        (0, "view", 1.0, 0.0),
        (1, "dislike", None, 1.0),
        (2, "like", None, 1.0),
    ]
    batch = two_towers.make_batch([window], is_label=[[0, 1, 1]])
    state = two_towers.embeddings(hidden, batch)[0]
    after_view = two_towers.embeddings(hidden, two_towers.make_batch([window[:1]]))
    np.testing.assert_allclose(state[1], after_view[0, 1], atol=1e-6)
    score = np.exp(state[1] @ hidden.candidate_tower(6).numpy().T)
    p = score / score.sum()

    loss = hidden.compute_loss(batch, training=True)

    expected = (-np.log(1.0 - p[1]) - np.log(p[2])) / 2.0
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


@pytest.mark.parametrize("arm", ["none", "feature", "label", "drop"])
def test_dislike_dropout_belongs_to_the_full_arm_alone(arm):
    batch = two_towers.make_batch(two_towers.WINDOWS)

    with_dropout = two_towers.make_model(arm, dislike_dropout=1.0)

    np.testing.assert_array_equal(
        with_dropout.compute_loss(batch, training=True),
        two_towers.make_model(arm).compute_loss(batch, training=True),
    )
