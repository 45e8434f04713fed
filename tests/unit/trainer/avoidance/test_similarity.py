"""The parts of the similarity, by hand."""

import numpy as np

from components.trainer.avoidance import similarity

NOWHERE = np.array([-1, -1])


def items(embedding, categories, is_placed=(True, True)):
    return similarity.Items(
        np.array(embedding, np.float32),
        np.array(is_placed),
        np.array(categories, np.int32),
        np.zeros(len(is_placed), bool),
    )


def reference(embedding=((1, 0), (0, 1)), categories=((1, 0), (1, 2)), idf=(0, 1, 3)):
    return similarity.Reference(
        np.array(embedding, np.float32),
        np.array(categories, np.int32),
        np.array(idf, np.float32),
        np.array([1.0, 3.0], np.float32),
        np.zeros(2, np.float32),
    )


def test_idf_by_hand():
    """Of four items two have category 1, one category 2, none category 3."""
    index = np.array([[1, 2], [1, 0], [0, 0], [0, 0]], np.int32)

    found = similarity.inverse_document_frequency(index, 4)

    np.testing.assert_allclose(found, [0, np.log(2), np.log(4), 0], rtol=1e-6)


def test_embeddings_by_hand():
    """[3, 4] has cosines .6 and .8; opposite directions do not resemble."""
    given = items([[3, 4], [-1, 1]], [[0, 0], [0, 0]])

    found = similarity.by_embedding(given, reference(), NOWHERE)

    np.testing.assert_allclose(found, [[0.75, 1], [0, 1]], rtol=1e-6)
    own = similarity.by_embedding(given, reference(), np.array([1, -1]))
    np.testing.assert_allclose(own, [[1, 0], [0, 1]], rtol=1e-6)


def test_an_embedding_of_no_item_in_particular_resembles_nothing():
    given = items([[3, 4], [1, 1]], [[0, 0], [0, 0]], is_placed=[True, False])

    assert not similarity.by_embedding(given, reference(), NOWHERE)[1].any()


def test_categories_by_hand():
    """IDF 1 and 3: {1} and {1, 2} have the cosine 1 / sqrt(10)."""
    given = items([[1, 0], [1, 0]], [[1, 0], [0, 0]])

    found = similarity.by_categories(given, reference())

    np.testing.assert_allclose(found, [[1, 0.1], [0, 0]], rtol=1e-5)


def test_what_rows_share_with_the_average_is_taken_out():
    """A row that is twice the average has nothing left; another keeps its excess.

    Average [.5, .25], users 1 and 3. Of [1, 0] the share is
    .5 / (.25 + 3 * .0625) = 8 / 7, which leaves [3 / 7, -2 / 7]: [1, -2 / 3].
    """
    mean = np.array([0.5, 0.25], np.float32)
    count = np.array([1.0, 3.0], np.float32)
    given = np.array([[1.0, 0.5], [1.0, 0.0]], np.float32)

    found = similarity.without_popularity(given, mean, count, NOWHERE)

    np.testing.assert_allclose(found, [[0, 0], [1, -2 / 3]], atol=1e-5)


def test_average_row_counts_users():
    given = np.array([[0.0, 1.0], [0.4, 0.0]], np.float32)

    found = similarity.popularity(given, np.array([1.0, 3.0], np.float32))

    np.testing.assert_allclose(found, [0.3, 0.25], rtol=1e-6)


def test_the_weight_of_what_is_missing_goes_to_the_rest():
    weight = np.array([0.4, 0.4, 0.2, 0.3], np.float32)
    has = np.array([[1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], bool)

    found = similarity.shares(has, weight)

    expected = [
        [0.4, 0.4, 0.2, 0],
        [0, 4 / 9, 2 / 9, 3 / 9],
        [0, 0, 0, 1],
        [0, 0, 0, 0],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
