"""The sampled softmax against the exact one."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.losses import corpus, feedback_retrieval

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
    expected = corpus.log_expected_count(
        tf.constant(rows), tf.constant(share), num_in_batch, num_uniform, NUM_CANDIDATES
    )
    return corpus.Corpus(tf.constant(rows), tf.constant(candidate[rows]), expected)


def test_expected_count_by_hand():
    share = tf.constant([0.75, 0.25])
    log_count = corpus.log_expected_count(tf.constant([1, 0]), share, 8, 3, 2)
    # 8 * .25 + 3 / 2 and 8 * .75 + 3 / 2
    np.testing.assert_allclose(np.exp(log_count), [3.5, 7.5], rtol=1e-6)


def test_denominator_is_unbiased(towers, share, rng):
    """The mean of 1,000 estimates lies within 4 standard errors of the full sum."""
    query, candidate = towers
    label = np.array([3, 7, 11], np.int32)
    truth = np.exp(query @ candidate.T).sum(axis=1)
    estimates = []
    for _ in range(1_000):
        drawn = drawn_corpus(candidate, share, 10, 6, rng)
        odds = feedback_retrieval.label_odds(
            tf.constant(query),
            tf.constant(label),
            tf.constant(candidate[label]),
            drawn,
        )
        # odds = exp(z_y) / others, and the denominator is exp(z_y) + others.
        own = np.exp((query * candidate[label]).sum(axis=1))
        estimates.append(own + own / np.exp(odds.numpy()))
    estimates = np.array(estimates)
    error = estimates.std(axis=0) / np.sqrt(len(estimates))
    assert np.all(np.abs(estimates.mean(axis=0) - truth) < 4 * error)
    # Uncorrected draws would miss by far more than that.
    assert np.all(truth > 15 * error)


@pytest.mark.parametrize("negative", [False, True])
def test_sampled_loss_approaches_the_exact_one(towers, share, rng, negative):
    query, candidate = (tf.constant(array) for array in towers)
    label = tf.constant([3, 7, 11])
    p = tf.gather(tf.nn.softmax(query @ tf.transpose(candidate)), label, batch_dims=1)
    exact = -np.log(1.0 - p if negative else p)
    task, errors = feedback_retrieval.FeedbackRetrieval(), []
    for draws in (50, 5_000, 200_000):
        drawn = drawn_corpus(towers[1], share, draws // 2, draws // 2, rng)
        sampled = [
            task(
                query_embeddings=query[row : row + 1],
                candidate_embeddings=tf.gather(candidate, label[row : row + 1]),
                candidate_ids=label[row : row + 1],
                is_negative=tf.constant([negative]),
                candidates=drawn,
            )
            for row in range(3)
        ]
        errors.append(float(np.abs(np.array(sampled) - exact).max()))
    assert errors[2] < 0.02
    assert errors[2] < errors[0]


def test_the_label_is_neither_corrected_nor_drawn(towers, share):
    query, candidate = towers
    label = np.array([3, 3, 3], np.int32)
    rows = np.array([3, 5, 3], np.int32)
    expected = np.log([2.0, 4.0, 2.0]).astype(np.float32)
    compared = corpus.Corpus(
        tf.constant(rows), tf.constant(candidate[rows]), tf.constant(expected)
    )
    odds = feedback_retrieval.label_odds(
        tf.constant(query), tf.constant(label), tf.constant(candidate[label]), compared
    )
    # Of the three draws one is not the label; it counts for a fourth.
    logits = query @ candidate[3] - (query @ candidate[5] - np.log(4.0))
    np.testing.assert_allclose(odds, logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sampled", [False, True])
def test_gradient_is_the_one_of_the_written_out_softmax(towers, share, rng, sampled):
    """Against TensorFlow's own gradient of log p - log(1 - p)."""
    query, candidate = (tf.Variable(array) for array in towers)
    label = tf.constant([3, 7, 11])
    met = tf.constant([[5, 3, -1], [-1, -1, -1], [2, 2, 9]])
    upstream = tf.constant([1.0, -0.5, 2.0])
    rows, expected, met_row = tf.range(NUM_CANDIDATES), None, met
    if sampled:
        drawn = drawn_corpus(towers[1], share, 10, 6, rng)
        rows, expected, met_row = drawn.candidate_id, drawn.log_expected_count, None

    with tf.GradientTape() as tape:
        compared = corpus.Corpus(rows, tf.gather(candidate, rows), expected)
        own = tf.gather(candidate, label)
        odds = feedback_retrieval.label_odds(query, label, own, compared, met_row)
    found = tape.gradient(odds, [query, candidate], upstream)

    with tf.GradientTape() as tape:
        scores = tf.matmul(query, tf.gather(candidate, rows), transpose_b=True)
        left_out = rows[None] == label[:, None]
        if sampled:
            scores -= expected
        else:
            left_out |= tf.reduce_any(met[:, :, None] == rows, axis=1)
        others = tf.reduce_sum(tf.where(left_out, 0.0, tf.exp(scores)), axis=1)
        own = tf.exp(tf.reduce_sum(query * tf.gather(candidate, label), axis=1))
        p = own / (own + others)
        expected_odds = tf.math.log(p) - tf.math.log(1.0 - p)
    oracle = tape.gradient(expected_odds, [query, candidate], upstream)

    np.testing.assert_allclose(odds, expected_odds, rtol=1e-4, atol=1e-5)
    for gradient, other in zip(found, oracle, strict=True):
        gradient, other = map(tf.convert_to_tensor, (gradient, other))
        assert np.abs(other).max() > 0.1
        np.testing.assert_allclose(gradient, other, rtol=1e-3, atol=1e-5)


def test_one_candidate_alone_has_no_gradient():
    query, candidate = tf.constant([[1.0, 2.0]]), tf.constant([[0.5, 0.5]])
    compared = corpus.Corpus(tf.range(1), candidate, None)
    task = feedback_retrieval.FeedbackRetrieval()

    for negative in (False, True):
        with tf.GradientTape() as tape:
            tape.watch([query, candidate])
            loss = task(
                query_embeddings=query,
                candidate_embeddings=candidate,
                candidate_ids=tf.constant([0]),
                is_negative=tf.constant([negative]),
                candidates=compared,
            )
        assert loss.numpy() == 0.0
        for gradient in tape.gradient(loss, [query, candidate]):
            assert not np.any(gradient)


def test_draws_follow_the_two_sources():
    labels = tf.constant([4, 4, 4, 9], tf.int32)
    rows = corpus.draw(labels, 8_000, 8_000, 20, tf.constant([1, 2])).numpy()
    in_batch, uniform = rows[:8_000], rows[8_000:]
    assert set(in_batch.tolist()) == {4, 9}
    # Binomial(8000, .75): standard deviation 39.
    assert abs((in_batch == 4).sum() - 6_000) < 160
    # Binomial(8000, .05) in each of 20 cells: standard deviation 19.5.
    assert np.all(np.abs(np.bincount(uniform, minlength=20) - 400) < 100)
