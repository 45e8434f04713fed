"""Items that training never saw are retrieved by what the catalogue says of them."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import candidates
from tests import two_towers

NUM_CLUSTERS, NUM_WARM, NUM_COLD = 4, 10, 3


def table():
    """Items of four category sets; the last three of each set are new."""
    warm = [(c, n) for c in range(NUM_CLUSTERS) for n in range(NUM_WARM)]
    cold = [(c, NUM_WARM + n) for c in range(NUM_CLUSTERS) for n in range(NUM_COLD)]
    names = [b"i%d-%02d" % item for item in warm]
    everything = [*names, *(b"new%d-%02d" % item for item in cold)]
    return candidates.build_candidate_table(
        vocabulary=names,
        counts=dict.fromkeys(names, 5),
        catalog_item_id=everything,
        catalog_creator=[0] * len(everything),
        catalog_categories=[[1 + c] for c, _ in [*warm, *cold]],
        max_categories=1,
    )


def windows(rng):
    """Each user views items of one set, in any order."""
    rows = []
    for user in range(80):
        first = NUM_WARM * (user % NUM_CLUSTERS)
        chosen = first + rng.permutation(NUM_WARM)[:8]
        rows.append([(int(row), "view", 1.0, 0.0) for row in chosen])
    return rows


@pytest.mark.parametrize("reads_features", [True, False])
def test_new_items_rank_by_their_features(reads_features):
    rng = np.random.default_rng(3)
    two_tower = two_towers.make_model(
        table=table(),
        id_dropout=0.1,
        num_layers=1,
        towers={"candidate_features": ["categories"] if reads_features else []},
    )
    two_tower.compile(optimizer=tf.keras.optimizers.Adam(0.01))
    step = tf.function(two_tower.train_step, autograph=False)
    batch = two_towers.make_batch(windows(rng))
    for _ in range(60):
        step(batch)

    candidate = two_tower.candidate_tower.embed_all().numpy()
    query = two_tower.query_embeddings(
        two_towers.make_batch(windows(rng)), tf.constant(candidate)
    ).numpy()[:, -1]
    score = (query @ candidate.T)[:, NUM_CLUSTERS * NUM_WARM :]

    own = np.arange(len(score)) % NUM_CLUSTERS
    is_own = np.arange(score.shape[1]) // NUM_COLD == own[:, None]
    mean_own = np.where(is_own, score, 0).sum(axis=1) / NUM_COLD
    best_other = np.where(is_own, -np.inf, score).max(axis=1)
    if reads_features:
        # Of four sets, chance would be right for a quarter of the users.
        assert (mean_own > best_other).mean() > 0.95
    else:
        # Nothing tells one new item from another.
        np.testing.assert_allclose(score, score[:, :1].repeat(12, axis=1), atol=1e-5)
