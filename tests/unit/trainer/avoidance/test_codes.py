"""Codes of small logs: what resembles, and what is known of little."""

import numpy as np
import pytest
from scipy import sparse

from components.trainer.avoidance import codes, similarity

WEIGHT = np.array([0.4, 0.4, 0.2, 0.3], np.float32)
NUM_USERS = 60


def two_audiences(num_items=12, seed=1):
    """Even items are met by one half of the users, odd ones by the other."""
    rng = np.random.default_rng(seed)
    item = np.arange(num_items)[:, None]
    same = item % 2 == np.arange(NUM_USERS) % 2
    met = rng.random((num_items, NUM_USERS)) < np.where(same, 0.6, 0.05)
    return sparse.csr_matrix(met.astype(np.float32))


def items(num_items=12, embedding=None, categories=None, is_placed=True, creator=False):
    if embedding is None:
        embedding = np.zeros((num_items, 2))
    if categories is None:
        categories = np.zeros((num_items, 2))
    return similarity.Items(
        np.array(embedding, np.float32),
        np.full(num_items, is_placed),
        np.array(categories, np.int32),
        np.full(num_items, creator),
    )


def fit(met, given, num_categories=3, dim=8):
    idf = similarity.inverse_document_frequency(given.category_index, num_categories)
    return codes.fit(met, given, idf, WEIGHT, dim)


def test_a_shared_audience_alone_makes_items_alike():
    """A catalogue without any feature: as many dimensions as items are exact."""
    found, _ = fit(two_audiences(), items(is_placed=False), dim=12)

    alike = found.query @ found.candidate.T
    same = np.arange(12)[:, None] % 2 == np.arange(12) % 2
    off = ~np.eye(12, dtype=bool)
    assert alike[same & off].min() > alike[~same].max()
    assert alike[same & off].mean() > 0.3


def test_codes_are_the_similarity_where_there_are_dimensions_enough(monkeypatch):
    """Against the parts one by one, for all items at once."""
    rng = np.random.default_rng(2)
    given = items(
        embedding=rng.normal(size=(12, 3)),
        categories=3 * [[0, 0], [1, 0], [2, 0], [1, 2]],
    )
    met = two_audiences()
    monkeypatch.setattr(codes, "_ROWS_AT_ONCE", 5)
    found, _ = fit(met, given, dim=12)

    users = np.asarray(met.sum(0)).ravel()
    weight = (users + 1.0) ** -0.5
    dense = met.toarray()
    common = (dense * weight) @ dense.T
    size = np.sqrt(np.diag(common))
    audience = common / (np.outer(size, size) + 5 * weight[users > 0].mean())
    unit = given.embedding / np.linalg.norm(given.embedding, axis=1, keepdims=True)
    frequency = np.asarray(met.sum(1)).ravel()

    def part(similar, power):
        np.fill_diagonal(similar, 0)
        similar = np.maximum(similar, 0) ** power
        similar /= similar.max(axis=1, keepdims=True)
        mean = frequency @ similar / frequency.sum()
        share = similar @ (frequency * mean) / (frequency * mean * mean).sum()
        similar = similar - share[:, None] * mean
        np.fill_diagonal(similar, 0)
        return similar / similar.max(axis=1, keepdims=True)

    idf = similarity.inverse_document_frequency(given.category_index, 3)
    vector = np.zeros((12, 3))
    for row, held in enumerate(given.category_index):
        vector[row, held] = idf[held]
    length = np.linalg.norm(vector, axis=1, keepdims=True)
    vector /= np.where(length > 0, length, 1)
    categories = (vector @ vector.T) ** 2
    has = length > 0
    target = 0.4 * part(audience, 1.5) + 0.4 * part(unit @ unit.T, 1.0)
    target = np.where(has, target + 0.2 * categories, target / 0.8)
    target = (target + target.T) / 2
    off = ~np.eye(12, dtype=bool)

    alike = found.query @ found.candidate.T

    np.testing.assert_allclose(alike[off], target[off], atol=1e-4)


def test_a_cold_item_is_like_those_that_its_features_are_like():
    """Embeddings of two directions and a category each; nobody met it."""
    parity = np.arange(12) % 2
    embedding = np.stack([1 - parity, parity], axis=1) + 0.01
    given = items(embedding=embedding, categories=np.stack([parity + 1, 0 * parity], 1))
    found, extension = fit(two_audiences(), given)
    cold = items(1, embedding=[[0.01, 1.0]], categories=[[2, 0]])

    new = codes.extend(cold, extension, WEIGHT)

    as_disliked = (new.query @ found.candidate.T)[0]
    as_candidate = (found.query @ new.candidate.T)[:, 0]
    for alike in (as_disliked, as_candidate):
        assert alike[parity == 1].min() > 0.5
        assert alike[parity == 0].max() < 0.1
    np.testing.assert_array_equal(new.creator_share, [0.0])


def test_a_cold_item_without_features_has_no_code():
    given = items(embedding=np.random.default_rng(3).normal(size=(12, 2)))
    _, extension = fit(two_audiences(), given)
    bare = items(1, embedding=[[0.3, 0.4]], is_placed=False)

    new = codes.extend(bare, extension, WEIGHT)

    assert not new.query.any()
    assert not new.candidate.any()


def test_creators_have_their_share():
    """.3 of 1.3 where all else is known; an item without audience gives it .3 of .9."""
    rng = np.random.default_rng(3)
    known = {"embedding": rng.normal(size=(12, 2)), "creator": True}
    categories = np.stack([np.arange(12) % 2 + 1, np.zeros(12)], axis=1)

    found, extension = fit(two_audiences(), items(categories=categories, **known))
    cold = items(1, embedding=[[1.0, 0.0]], categories=[[1, 0]], creator=True)
    new = codes.extend(cold, extension, WEIGHT)

    np.testing.assert_allclose(found.creator_share, 0.3 / 1.3, rtol=1e-5)
    np.testing.assert_allclose(new.creator_share, 0.3 / 0.9, rtol=1e-5)


@pytest.mark.parametrize("num_met", [0, 1])
def test_an_item_alone_in_the_catalogue_resembles_nothing(num_met):
    met = sparse.csr_matrix(np.full((1, 1), num_met, np.float32))
    found, _ = fit(met, items(1, embedding=[[1.0, 0.0]]), dim=4)

    assert not found.query.any()
    assert not found.candidate.any()


def test_the_same_log_gives_the_same_codes():
    given = items(embedding=np.random.default_rng(3).normal(size=(12, 2)))

    first, again = (fit(two_audiences(), given)[0] for _ in range(2))

    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
