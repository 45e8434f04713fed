import numpy as np
import pytest
import tensorflow as tf

from components.index_builder import scann_index
from schema import errors, settings


@pytest.mark.parametrize(
    ("num_candidates", "min_candidates", "expected"),
    [
        (4_999, 5_000, True),
        (5_000, 5_000, False),
        # Too few points to learn the codes from, whatever the settings say.
        (99, 1, True),
        (100, 1, False),
    ],
)
def test_small_catalogues_are_searched_exactly(
    num_candidates, min_candidates, expected
):
    index = settings.IndexSettings(min_candidates=min_candidates)

    assert scann_index.wants_exact_search(num_candidates, index) == expected


@pytest.mark.parametrize(
    ("search", "num_candidates", "expected"),
    [
        ("exact", 10**6, True),
        ("approximate", 100, False),
        ("approximate", 99, True),
    ],
)
def test_search_is_as_told(search, num_candidates, expected):
    index = settings.IndexSettings(search=search)

    assert scann_index.wants_exact_search(num_candidates, index) == expected


def test_good_embeddings_pass():
    scann_index.check_embeddings(np.zeros((2, 3)), np.array([b"a", b"b"], object))


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_embedding_that_is_not_finite_is_named(poison):
    embedding = np.ones((4, 3), np.float32)
    embedding[2, 1] = poison

    with pytest.raises(errors.InputError, match=r"1 of 4 .*: ü .*learning_rate"):
        scann_index.check_embeddings(
            embedding, np.array([b"a", b"b", "ü".encode(), b"d"], object)
        )


@pytest.fixture
def catalogue(rng):
    embedding = rng.normal(size=(1_200, 6)).astype(np.float32)
    query = rng.normal(size=(5, 6)).astype(np.float32)
    return embedding, query


def test_whole_effort_finds_the_exact_neighbours_with_their_exact_scores(catalogue):
    embedding, query = catalogue

    layer = scann_index.TunableScann(embedding, scann_index.IndexShape(30))
    layer.effort = scann_index.SearchEffort(leaves_searched=30, num_reordered=1_200)
    score, row = layer(tf.constant(query), k=25)

    expected = query @ embedding.T
    order = np.argsort(-expected, axis=1)[:, :25]
    np.testing.assert_array_equal(row, order)
    assert row.dtype == tf.int32
    np.testing.assert_allclose(
        score, np.take_along_axis(expected, order, axis=1), atol=1e-4
    )


def test_effort_is_changed_without_building_again(catalogue):
    embedding, query = catalogue
    exact = np.argsort(-query @ embedding.T, axis=1)[:, :25]
    layer = scann_index.TunableScann(embedding, scann_index.IndexShape(30))

    found = []
    for leaves in (1, 10, 30):
        layer.effort = scann_index.SearchEffort(leaves, 1_200)
        rows = layer(tf.constant(query), k=25)[1].numpy()
        found.append(
            sum(len(set(r) & set(e)) for r, e in zip(rows, exact, strict=True))
        )

    assert found[0] < found[1] < found[2] == 125
