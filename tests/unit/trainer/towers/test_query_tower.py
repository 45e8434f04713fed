"""What both query towers promise: causality, and that a masked element is no element.

Positions: the state at p has seen the elements before p.
"""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.towers import query_tower, transformer
from schema import settings

DIM, FEATURES, LENGTH = 4, 3, 6


def make_tower(kind, dropout=0.0, max_length=LENGTH, mixed_precision=False):
    tower = query_tower.QueryTower(
        settings.ModelSettings(
            query_tower=kind,
            embedding_dim=DIM,
            hidden_dim=10,
            num_layers=2,
            num_heads=2,
            dropout=dropout,
        ),
        max_length,
        5,
        mixed_precision,
    )
    tower(tf.zeros((1, 1, DIM)), tf.zeros((1, 1, FEATURES)), tf.ones((1, 1), tf.bool))
    noise = np.random.default_rng(9)
    for variable in tower.trainable_variables:
        change = noise.normal(scale=0.3, size=variable.shape)
        variable.assign_add(change.astype(np.float32))
    return tower


@pytest.fixture(params=["gru", "transformer"], scope="module")
def tower(request):
    return make_tower(request.param)


@pytest.fixture
def history(rng):
    return (
        rng.normal(size=(2, LENGTH, DIM)).astype(np.float32),
        rng.normal(size=(2, LENGTH, FEATURES)).astype(np.float32),
    )


def states(tower, item, feature, visible=None, training=False):
    if visible is None:
        visible = np.ones(item.shape[:2], bool)
    inputs = tf.constant(item), tf.constant(feature), tf.constant(visible)
    return tower(*inputs, training=training).numpy()


def test_one_state_more_than_elements(tower, history):
    assert states(tower, *history).shape == (2, LENGTH + 1, DIM)


def test_mixed_precision_rounds_in_training_and_never_what_is_served(history):
    exact, rounded = make_tower("gru"), make_tower("gru", mixed_precision=True)
    served = states(exact, *history)

    np.testing.assert_array_equal(states(rounded, *history), served)
    trained = states(rounded, *history, training=True)
    assert 1e-5 < np.abs(trained - served).max() < 0.05


@pytest.mark.parametrize("changed", range(LENGTH))
def test_element_changes_no_state_before_it_and_every_state_after(
    tower, history, changed
):
    item, feature = history
    before = states(tower, item, feature)
    item, feature = item.copy(), feature.copy()
    item[:, changed] += 1.0
    feature[:, changed] -= 1.0

    after = states(tower, item, feature)

    np.testing.assert_array_equal(after[:, : changed + 1], before[:, : changed + 1])
    assert (np.abs(after - before)[:, changed + 1 :].max(axis=-1) > 1e-4).all()


@pytest.mark.parametrize("length", range(LENGTH))
def test_state_at_a_position_is_the_last_state_of_its_prefix(tower, history, length):
    item, feature = history

    prefix = states(tower, item[:, :length], feature[:, :length])

    np.testing.assert_allclose(
        prefix, states(tower, item, feature)[:, : length + 1], atol=1e-5
    )


@pytest.mark.parametrize("masked", [[0], [2], [5], [1, 2, 4], [0, 1, 2, 3, 4, 5]])
def test_masked_elements_leave_no_trace(tower, history, masked):
    item, feature = history
    visible = np.ones(item.shape[:2], bool)
    visible[:, masked] = False

    full = states(tower, item, feature, visible)
    removed = states(
        tower, np.delete(item, masked, axis=1), np.delete(feature, masked, axis=1)
    )

    # Position p of the full history has seen as many elements as are visible before p.
    num_seen = np.concatenate([[0], np.cumsum(visible[0])])
    np.testing.assert_allclose(full, removed[:, num_seen], atol=1e-5)


def test_what_a_masked_element_holds_is_never_read(tower, history):
    item, feature = history
    visible = np.array([[True, False, True, True, False, False]] * 2)
    expected = states(tower, item, feature, visible)
    item, feature = item.copy(), feature.copy()
    item[~visible], feature[~visible] = 1e6, -1e6

    np.testing.assert_array_equal(states(tower, item, feature, visible), expected)


def test_rows_of_a_batch_do_not_mix(tower, history):
    item, feature = history

    alone = states(tower, item[1:], feature[1:])

    np.testing.assert_allclose(alone, states(tower, item, feature)[1:], atol=1e-5)


def test_order_of_the_history_matters(tower, history):
    item, feature = history

    backwards = states(tower, item[:, ::-1], feature[:, ::-1])

    assert np.abs(backwards - states(tower, item, feature))[:, -1].max() > 1e-3


def test_dropout_acts_in_training_alone(history):
    tower = make_tower("gru", dropout=0.5)
    item, feature = (tf.constant(array) for array in history)
    visible = tf.ones((2, LENGTH), tf.bool)

    calm = tower(item, feature, visible).numpy()

    np.testing.assert_array_equal(calm, tower(item, feature, visible))
    trained = tower(item, feature, visible, training=True).numpy()
    assert np.abs(trained - calm).max() > 1e-3


def test_feedback_can_turn_the_direction_of_an_item(rng):
    """The scale is multiplicative: a sum could not depend on item times feedback."""
    encoder = query_tower.ElementEncoder(width=6, dropout=0.0, seed=1)
    item = tf.constant(rng.normal(size=(1, 1, DIM)), tf.float32)
    liked, disliked = tf.constant([[[1.0, 0.0]]]), tf.constant([[[0.0, 1.0]]])

    def effect_of_item(feedback):
        return (encoder((item, feedback)) - encoder((0.0 * item, feedback))).numpy()

    assert np.abs(effect_of_item(liked) - effect_of_item(disliked)).max() > 1e-3


def test_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match=r"multiple of `model\.num_heads`.*10 and 3"):
        transformer.TransformerBlock(width=10, num_heads=3, dropout=0.0, seed=1)
