"""The sampled softmax against the exact one."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import losses, softmax

NUM_CANDIDATES, DIM = 40, 6


@pytest.fixture
def towers(rng):
    query = rng.normal(size=(3, DIM)).astype(np.float32)
    candidate = rng.normal(size=(NUM_CANDIDATES, DIM)).astype(np.float32)
    return query, candidate


@pytest.fixture
def share(rng):
    # One candidate is very rare: clipping its probability would show.
    share = rng.random(NUM_CANDIDATES) ** 4
    share[7] = 1e-9
    return (share / share.sum()).astype(np.float32)


def drawn_corpus(candidate, share, num_in_batch, num_uniform, rng):
    """Draws by numpy, so that the code under test only corrects."""
    rows = np.concatenate(
        [
            rng.choice(NUM_CANDIDATES, num_in_batch, p=share / share.sum()),
            rng.integers(NUM_CANDIDATES, size=num_uniform),
        ]
    ).astype(np.int32)
    expected = softmax.log_expected_count(
        tf.constant(rows), tf.constant(share), num_in_batch, num_uniform, NUM_CANDIDATES
    )
    return softmax.Corpus(tf.constant(rows), tf.constant(candidate[rows]), expected)


def test_expected_count_by_hand():
    share = tf.constant([0.75, 0.25])
    log_count = softmax.log_expected_count(tf.constant([1, 0]), share, 8, 3, 2)
    # 8 * .25 + 3 / 2 and 8 * .75 + 3 / 2
    np.testing.assert_allclose(np.exp(log_count), [3.5, 7.5], rtol=1e-6)


def test_denominator_is_unbiased(towers, share, rng):
    """The mean of 1,000 estimates lies within 4 standard errors of the full sum."""
    query, candidate = towers
    label = np.array([3, 7, 11], np.int32)
    truth = np.exp(query @ candidate.T).sum(axis=1)
    estimates = []
    for _ in range(1_000):
        corpus = drawn_corpus(candidate, share, 10, 6, rng)
        logits, _ = softmax.label_logits(
            tf.constant(query),
            tf.constant(label),
            tf.constant(candidate[label]),
            corpus,
        )
        estimates.append(np.exp(logits.numpy()).sum(axis=1))
    estimates = np.array(estimates)
    error = estimates.std(axis=0) / np.sqrt(len(estimates))
    assert np.all(np.abs(estimates.mean(axis=0) - truth) < 4 * error)
    # Uncorrected draws would miss by far more than that.
    assert np.all(truth > 15 * error)


@pytest.mark.parametrize("loss", [losses.softmax_loss, losses.not_to_recommend_loss])
def test_sampled_loss_approaches_the_exact_one(towers, share, rng, loss):
    query, candidate = (tf.constant(array) for array in towers)
    label = tf.constant([3, 7, 11])
    everything = softmax.Corpus(tf.range(NUM_CANDIDATES), candidate, None)
    exact = loss(
        *softmax.label_logits(query, label, tf.gather(candidate, label), everything)
    )
    errors = []
    for draws in (50, 5_000, 200_000):
        corpus = drawn_corpus(towers[1], share, draws // 2, draws // 2, rng)
        sampled = loss(
            *softmax.label_logits(query, label, tf.gather(candidate, label), corpus)
        )
        errors.append(float(np.abs(sampled - exact).max()))
    assert errors[2] < 0.02
    assert errors[2] < errors[0]


def test_the_label_is_neither_corrected_nor_drawn(towers, share):
    query, candidate = towers
    label = np.array([3, 3, 3], np.int32)
    rows = np.array([3, 5, 3], np.int32)
    expected = np.log([2.0, 4.0, 2.0]).astype(np.float32)
    corpus = softmax.Corpus(
        tf.constant(rows), tf.constant(candidate[rows]), tf.constant(expected)
    )
    logits, column = softmax.label_logits(
        tf.constant(query), tf.constant(label), tf.constant(candidate[label]), corpus
    )
    assert column.numpy().tolist() == [0, 0, 0]
    np.testing.assert_allclose(logits[:, 0], query @ candidate[3], rtol=1e-5)
    np.testing.assert_allclose(
        logits[:, 2], query @ candidate[5] - np.log(4.0), rtol=1e-4, atol=1e-6
    )
    assert np.all(logits.numpy()[:, [1, 3]] < -1e8)


def test_draws_follow_the_two_sources():
    labels = tf.constant([4, 4, 4, 9], tf.int32)
    rows = softmax.draw(labels, 8_000, 8_000, 20, tf.constant([1, 2])).numpy()
    in_batch, uniform = rows[:8_000], rows[8_000:]
    assert set(in_batch.tolist()) == {4, 9}
    # Binomial(8000, .75): standard deviation 39.
    assert abs((in_batch == 4).sum() - 6_000) < 160
    # Binomial(8000, .05) in each of 20 cells: standard deviation 19.5.
    assert np.all(np.abs(np.bincount(uniform, minlength=20) - 400) < 100)
