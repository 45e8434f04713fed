"""Invariants of the losses that no choice of logits may break."""

import hypothesis
import hypothesis.extra.numpy as hnp
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from components.trainer.losses import corpus, feedback_retrieval

few = hypothesis.settings(max_examples=40)


@st.composite
def rows(draw, limit=30.0):
    """Logits [batch, num_candidates] and a label of each row."""
    batch, width = draw(st.integers(1, 4)), draw(st.integers(2, 7))
    finite = st.floats(-limit, limit, width=32)
    logits = draw(hnp.arrays(np.float32, (batch, width), elements=finite))
    label = draw(hnp.arrays(np.int32, batch, elements=st.integers(0, width - 1)))
    return logits, label


def task_loss(logits, label, is_negative):
    """The task of queries whose scores are the logits: candidates are the axes."""
    logits = tf.convert_to_tensor(logits)
    axes = tf.eye(logits.shape[1])
    return feedback_retrieval.FeedbackRetrieval()(
        query_embeddings=logits,
        candidate_embeddings=tf.gather(axes, label),
        candidate_ids=tf.constant(label),
        is_negative=tf.fill(label.shape, is_negative),
        candidates=corpus.Corpus(tf.range(logits.shape[1]), axes),
    )


@few
@hypothesis.given(rows(), st.floats(-50, 50, width=32))
def test_adding_a_constant_to_all_logits_changes_nothing(row, shift):
    logits, label = row

    for is_negative in (False, True):
        before = task_loss(logits, label, is_negative)
        after = task_loss(logits + shift, label, is_negative)
        # Adding 50 to a logit costs it up to 4e-6 of float32, in each of 4 rows.
        np.testing.assert_allclose(before, after, rtol=1e-4, atol=8e-5)


@few
@hypothesis.given(rows(), st.data())
def test_masked_candidate_is_a_dropped_candidate(row, data):
    logits, label = row
    column = data.draw(st.integers(0, logits.shape[1]))
    masked = np.insert(logits, column, -1e9, axis=1)
    moved = np.where(label >= column, label + 1, label).astype(np.int32)

    for is_negative in (False, True):
        dropped = task_loss(logits, label, is_negative)
        kept = task_loss(masked, moved, is_negative)
        np.testing.assert_allclose(kept, dropped, rtol=1e-6)


@few
@hypothesis.given(rows(limit=15.0))
def test_gradient_is_the_closed_formula(row):
    """d/dz_y = p_y and d/dz_j = -p_y p_j / (1 - p_y), in float64."""
    logits, label = row
    variable = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        loss = task_loss(variable, label, True)
    gradient = tape.gradient(loss, variable).numpy()

    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    p = shifted / shifted.sum(axis=1, keepdims=True)
    each = np.arange(len(label))
    others = shifted.copy()
    others[each, label] = 0.0
    # p_j / (1 - p_y) without the cancellation of 1 - p_y.
    expected = -p[each, label, None] * others / others.sum(axis=1, keepdims=True)
    expected[each, label] = p[each, label]

    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-5)
    assert (np.abs(gradient) <= 1.0 + 1e-6).all()


@few
@hypothesis.given(rows(limit=1e6))
def test_finite_at_extreme_logits(row):
    logits, label = row
    variable = tf.constant(logits)
    for is_negative in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(variable)
            loss = task_loss(variable, label, is_negative)
        assert np.isfinite(loss).all()
        assert (loss.numpy() >= 0).all()
        assert np.isfinite(tape.gradient(loss, variable)).all()
