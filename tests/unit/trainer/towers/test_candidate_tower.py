import numpy as np
import pytest
import tensorflow as tf

from components.trainer import candidates
from components.trainer.towers import candidate_tower
from schema import settings
from tests import two_towers


def make_tower(table=None, seed=3, **model):
    return candidate_tower.CandidateTower(
        table or two_towers.make_table(),
        settings.ModelSettings(**{"embedding_dim": 5, "id_dropout": 0.0, **model}),
        seed,
    )


@pytest.fixture
def tower():
    return make_tower()


def weights(tower):
    return {w.name.split("/")[-1].split(":")[0]: w.numpy() for w in tower.weights}


def test_embedding_is_id_plus_creator_plus_mean_category(tower):
    w = weights(tower)
    ids, creator, category = (
        w[f"{name}_embedding"] for name in ("id", "creator", "category")
    )
    # See `make_table`; row r has the id embedding r + 1, a new item that of index 0.
    expected = [
        ids[1] + creator[1] + (category[1] + category[2]) / 2,
        ids[2] + creator[1] + category[1],
        ids[3] + creator[1],
        ids[4] + creator[2] + (category[1] + category[2]) / 2,
        ids[5],
        ids[6],
        ids[0] + creator[1] + category[1],
        ids[0],
    ]

    np.testing.assert_allclose(tower(8), expected, rtol=1e-6)


def test_fewer_rows_are_the_first_rows(tower):
    np.testing.assert_array_equal(tower(3), tower(8)[:3])


def test_id_dropout_replaces_ids_by_the_shared_one_in_training_alone():
    tower = make_tower(id_dropout=0.5)
    w = weights(tower)
    calm = tower(6).numpy()
    dropped = calm - w["id_embedding"][1:7] + w["id_embedding"][0]

    np.testing.assert_array_equal(calm, tower(6))
    seen = set()
    for _ in range(20):
        trained = tower(6, training=True).numpy()
        for row in range(6):
            is_kept = np.allclose(trained[row], calm[row], atol=1e-6)
            assert is_kept or np.allclose(trained[row], dropped[row], atol=1e-6)
            seen.add((row, is_kept))
    # 20 draws of one half: each row is seen both ways but for odds of 1e-5.
    assert len(seen) == 12


def test_seed_decides_the_weights():
    def first(seed):
        return make_tower(seed=seed)(8).numpy()

    np.testing.assert_array_equal(first(1), first(1))
    assert not np.allclose(first(1), first(2))


def test_every_declared_feature_and_word_has_its_part():
    table = candidates.build_candidate_table(
        vocabulary=[b"a", b"b"],
        counts={b"a": 2, b"b": 1},
        catalog_item_id=[b"a", b"b"],
        catalog_creator=[0, 1],
        catalog_categories=[[], []],
        max_categories=3,
        catalog_attributes=[[1, 2], []],
        # 3 and 13 share a bucket of ten.
        catalog_title_tokens=[[3, 5], [13]],
        max_title_words=4,
    )
    tower = make_tower(
        table,
        candidate_features=("creator", "attributes", "title"),
        title_buckets=10,
    )
    w = weights(tower)
    ids, creator, attribute, title = (
        w[f"{name}_embedding"] for name in ("id", "creator", "attribute", "title")
    )

    expected = [
        ids[1] + (attribute[1] + attribute[2]) / 2 + (title[4] + title[6]) / 2,
        ids[2] + creator[1] + title[4],
    ]

    np.testing.assert_allclose(tower(2), expected, rtol=1e-5)
    assert set(w) == {f"{n}_embedding" for n in ("id", "creator", "attribute", "title")}


def test_all_trained_rows_at_once_are_the_same_rows():
    table = candidates.build_candidate_table(
        vocabulary=[b"a", b"b", b"c"],
        counts={b"a": 3, b"b": 2, b"c": 1},
        catalog_item_id=[b"a", b"b", b"new"],
        catalog_creator=[0, 1, 2],
        catalog_categories=[[2, 1], [], [1]],
        max_categories=3,
        catalog_attributes=[[1], [2, 1], []],
        # Two words of one bucket count twice.
        catalog_title_tokens=[[3, 13, 5], [13], [1]],
        max_title_words=4,
    )
    tower = make_tower(
        table,
        title_buckets=10,
        candidate_features=("creator", "categories", "attributes", "title"),
    )

    np.testing.assert_allclose(tower.embed_trained(), tower(3), rtol=1e-5)
    with tf.GradientTape(persistent=True) as tape:
        one = tf.reduce_sum(tower.embed_trained() ** 2 * [[1.0], [2.0], [3.0]])
        other = tf.reduce_sum(tower(3) ** 2 * [[1.0], [2.0], [3.0]])
    for weight in tower.trainable_variables:
        np.testing.assert_allclose(
            tf.convert_to_tensor(tape.gradient(one, weight)),
            tf.convert_to_tensor(tape.gradient(other, weight)),
            rtol=1e-4,
            atol=1e-6,
        )
