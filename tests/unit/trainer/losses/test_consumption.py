"""The consumption term: what was disliked was chosen all the same."""

import numpy as np
import pytest

from tests import two_towers


@pytest.mark.parametrize("arm", ["label", "feature_and_label"])
def test_consumption_term_retrieves_what_was_disliked_with_a_query_of_its_own(arm):
    plain = two_towers.make_model(arm)
    term = two_towers.make_model(arm, consumption_weight=3.0)
    batch = two_towers.make_batch(two_towers.WINDOWS)
    term.compute_loss(batch)
    rng = np.random.default_rng(5)
    shift_to = [rng.normal(size=v.shape) for v in term.consumption_query.weights]
    for variable, value in zip(term.consumption_query.weights, shift_to, strict=True):
        variable.assign(value)
    query = two_towers.embeddings(plain, batch).astype(np.float64) @ shift_to[0]
    score = np.exp((query + shift_to[1]) @ plain.candidate_tower(6).numpy().T)
    p = score / score.sum(axis=-1, keepdims=True)
    # dislike|view of i1, skip of i5 (weight .1), dislike of i3, before each element.
    expected = -np.log(p[0, 1, 1]) - 0.1 * np.log(p[0, 3, 5]) - np.log(p[1, 1, 3])

    difference = term.compute_loss(batch) - plain.compute_loss(batch)

    np.testing.assert_allclose(difference, 3.0 * expected / 6, rtol=1e-4)
    np.testing.assert_array_equal(
        two_towers.embeddings(plain, batch), two_towers.embeddings(term, batch)
    )


@pytest.mark.parametrize("arm", ["none", "feature", "drop"])
def test_consumption_term_belongs_to_the_arms_with_labels(arm):
    batch = two_towers.make_batch(two_towers.WINDOWS)

    with_term = two_towers.make_model(arm, consumption_weight=3.0).compute_loss(batch)

    np.testing.assert_array_equal(
        with_term, two_towers.make_model(arm).compute_loss(batch)
    )
