"""The loss that the towers are trained by, against hand work and numpy."""

import doctest
import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_recommenders as tfrs

from components.trainer.losses import corpus, feedback_retrieval

TASK = feedback_retrieval.FeedbackRetrieval()


def task_loss(logits, label, is_negative, weight=None):
    """The task of queries whose scores are the given logits: candidates are axes."""
    logits = tf.convert_to_tensor(logits, tf.float32)
    axes = tf.eye(logits.shape[1])
    label = tf.convert_to_tensor(label, tf.int32)
    return TASK(
        query_embeddings=logits,
        candidate_embeddings=tf.gather(axes, label),
        candidate_ids=label,
        is_negative=tf.fill(label.shape, is_negative),
        sample_weight=weight,
        candidates=corpus.Corpus(tf.range(logits.shape[1]), axes),
    )


def test_docstring_examples_run():
    for module in (feedback_retrieval, corpus):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0


def test_values_worked_by_hand():
    # e^2 / (e^2 + 2) = 7.389 / 9.389 = .787
    p = math.exp(2) / (math.exp(2) + 2)

    positive = task_loss([[2.0, 0.0, 0.0]], [0], False)
    negative = task_loss([[2.0, 0.0, 0.0]], [0], True)

    assert float(positive) == pytest.approx(-math.log(p), rel=1e-6)
    assert float(negative) == pytest.approx(-math.log(1 - p), rel=1e-6)
    assert float(positive) == pytest.approx(0.2395, abs=1e-4)
    assert float(negative) == pytest.approx(1.5464, abs=1e-4)


def test_temperature_divides_the_logits():
    # Logits 2, 0 at temperature .5 are 4, 0: log(1 + e^4).
    loss = feedback_retrieval.FeedbackRetrieval(temperature=0.5)(
        query_embeddings=tf.constant([[2.0]]),
        candidate_embeddings=tf.constant([[1.0]]),
        candidate_ids=tf.constant([0]),
        is_negative=tf.constant([True]),
        candidates=corpus.Corpus(tf.range(2), tf.constant([[1.0], [0.0]])),
    )
    assert float(loss) == pytest.approx(math.log1p(math.exp(4)), rel=1e-6)


def test_labels_are_weighted_and_summed():
    logits = [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]

    loss = task_loss(logits, [0, 2], True, weight=tf.constant([3.0, 0.5]))

    assert float(loss) == pytest.approx(3 * 1.5464 + 0.5 * math.log(1.5), abs=3e-4)


def test_no_labels_cost_nothing():
    loss = task_loss(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), True)
    assert float(loss) == 0.0


def test_only_candidate_cannot_be_pushed_away():
    assert float(task_loss([[5.0]], [0], True)) == 0.0


@pytest.mark.parametrize(
    ("disliked_logit", "expected"),
    [
        # 1 - p = 1 / (1 + e^z): the loss is log(1 + e^z).
        (100.0, 100.0),
        (1e4, 1e4),
        (0.0, math.log(2.0)),
        (-20.0, math.exp(-20.0)),
        (-1e4, 0.0),
    ],
)
def test_extreme_logits_keep_the_exact_value_and_gradient(disliked_logit, expected):
    logits = tf.constant([[disliked_logit, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = task_loss(logits, [0], True)
    p = 0.0 if disliked_logit < -700 else 1.0 / (1.0 + math.exp(-disliked_logit))

    assert float(loss) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(tape.gradient(loss, logits), [[p, -p]], rtol=1e-5)


@pytest.mark.parametrize("level", [-1e4, -1e3, 1e3, 1e4])
def test_level_of_the_logits_does_not_matter(level):
    loss = task_loss([[level, level, level]], [1], True)

    # What float32 can tell at this level.
    spacing = float(np.spacing(np.float32(abs(level))))
    assert float(loss) == pytest.approx(math.log(1.5), abs=spacing)


def test_gradient_step_lowers_the_disliked_logit_and_raises_the_others():
    logits = tf.constant([[1.0, 2.0, -1.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = task_loss(logits, [1], True)

    step = -tape.gradient(loss, logits).numpy()[0]

    assert step[1] < 0 < min(step[0], step[2])


@pytest.mark.parametrize("has_logq", [False, True])
def test_labels_of_a_batch_are_compared_with_each_other(rng, has_logq):
    """Every other draw of another item counts, divided by its expected number."""
    query = rng.normal(size=(4, 3)).astype(np.float32)
    items = rng.normal(size=(3, 3)).astype(np.float32)
    names = np.array([0, 1, 0, 2])  # item 0 was drawn twice
    probability = np.array([0.5, 0.2, 0.5, 0.3], np.float32)
    count = 4 * probability if has_logq else np.ones(4)
    expected = 0.0
    is_negative = np.array([False, True, True, False])
    for row in range(4):
        own = math.exp(query[row] @ items[names[row]])
        others = sum(
            math.exp(query[row] @ items[names[j]]) / count[j]
            for j in range(4)
            if names[j] != names[row]
        )
        p = own / (own + others)
        expected -= math.log(1 - p if is_negative[row] else p)

    loss = TASK(
        query_embeddings=tf.constant(query),
        candidate_embeddings=tf.constant(items[names]),
        candidate_ids=tf.constant([str(name) for name in names]),
        is_negative=tf.constant(is_negative),
        candidate_sampling_probability=(tf.constant(probability) if has_logq else None),
    )

    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_excluded_candidates_leave_the_softmax_but_the_label_stays():
    # Logits 1, 2, 3; candidate 1 is excluded, and so, without effect, is the label.
    loss = TASK(
        query_embeddings=tf.constant([[1.0, 2.0, 3.0]]),
        candidate_embeddings=tf.constant([[1.0, 0.0, 0.0]]),
        candidate_ids=tf.constant([0]),
        candidates=corpus.Corpus(tf.range(3), tf.eye(3)),
        excluded_ids=tf.constant([[1, 0, -1]]),
    )
    p = math.exp(1) / (math.exp(1) + math.exp(3))
    assert float(loss) == pytest.approx(-math.log(p), rel=1e-6)


class PlainModel(tfrs.models.Model):
    """What a TFRS user writes: two embeddings, and the task called in a batch."""

    def __init__(self):
        super().__init__()
        self.query = tf.keras.layers.Embedding(4, 8)
        self.candidate = tf.keras.layers.Embedding(6, 8)
        self.task = feedback_retrieval.FeedbackRetrieval()

    def compute_loss(self, inputs, training=False):
        return self.task(
            query_embeddings=self.query(inputs["user"]),
            candidate_embeddings=self.candidate(inputs["item"]),
            candidate_ids=inputs["item"],
            is_negative=inputs["disliked"],
        )


@pytest.mark.parametrize("is_told", [True, False])
def test_a_plain_tfrs_model_learns_likes_and_dislikes(is_told):
    """User u likes item u and dislikes item (u + 1) % 4, which another user likes."""
    tf.keras.utils.set_random_seed(3)
    user = np.tile(np.arange(4), 2)
    item = np.concatenate([np.arange(4), (np.arange(4) + 1) % 4])
    disliked = np.repeat([False, is_told], 4)
    log = {"user": user, "item": item, "disliked": disliked}
    plain = PlainModel()
    plain.compile(optimizer=tf.keras.optimizers.Adam(0.05))
    plain.fit(tf.data.Dataset.from_tensors(log).repeat(100), verbose=0)

    each = np.arange(4)
    score = np.exp(plain.query(each).numpy() @ plain.candidate(each).numpy().T)
    p = score / score.sum(axis=1, keepdims=True)

    p_liked, p_disliked = p[each, each], p[each, (each + 1) % 4]
    # Taken for a like, a dislike has half of the probability.
    if is_told:
        assert (p_liked > 0.95).all()
        assert (p_disliked < 0.02).all()
    else:
        assert (p_disliked > 0.4).all()
