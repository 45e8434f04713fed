import doctest

import numpy as np
import pytest

from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import settings, simulation


def build(**given):
    return catalogues.build_catalogue(settings.SynthesisSettings(**given))


@pytest.mark.parametrize("module", [catalogues, simulation])
def test_examples_in_docstrings(module):
    outcome = doctest.testmod(module, extraglobs={"np": np})
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_category_names():
    assert catalogues.categories(7, clusters=20) == ("cluster_07",)
    # The last pair closes the circle.
    assert catalogues.categories(39, clusters=20) == ("cluster_00", "cluster_19")
    assert catalogues.categories(5, clusters=300) == ("cluster_005",)


def test_popularity_follows_zipf():
    popularity = np.sort(build(items=1_000, popularity_exponent=1.0).popularity)[::-1]
    assert popularity.sum() == pytest.approx(1.0)
    assert popularity[0] / popularity[9] == pytest.approx(10.0)
    assert popularity[0] / popularity[999] == pytest.approx(1_000.0)


def test_slots_are_proportional_to_popularity():
    catalogue = build(items=500)
    share = np.bincount(catalogue.slots, minlength=500) / catalogue.slots.size
    assert np.abs(share - catalogue.popularity).max() <= 1.01 / catalogue.slots.size


def test_every_creator_has_an_item_and_some_have_many():
    per_creator = np.bincount(build(items=1_000, creators=200).creator, minlength=200)
    assert per_creator.size == 200
    assert per_creator.min() >= 1
    assert per_creator.max() >= 4 * np.median(per_creator)


def test_creators_keep_to_their_main_cluster():
    catalogue = build(items=5_000, creators=50, clusters=10, creator_focus=0.8)
    largest = [
        np.bincount(catalogue.cluster[catalogue.creator == c], minlength=10).max()
        for c in range(50)
    ]
    # 0.8 of the items by focus and a tenth of the others by chance; 5 sigma is 0.03.
    assert sum(largest) / 5_000 == pytest.approx(0.82, abs=0.03)


def test_items_appear_in_order_some_before_the_log_and_some_during_it():
    start, day = 1_704_067_200_000, 86_400_000
    catalogue = build(items=200, existing_share=0.7, span_days=10)
    created = catalogue.created_at_ms
    assert (np.diff(created) >= 0).all()
    assert (created[:140] <= start).all()
    assert created[0] >= start - 365 * day
    assert (created[140:] >= start).all()
    assert created[-1] < start + 10 * day
    assert catalogue.available(created[[0, 199]] - 1).tolist() == [0, 199]
    assert catalogue.available(created[199:]).tolist() == [200]


def test_pairs_are_content_clusters_of_their_own():
    catalogue = build(items=2_000, clusters=5, pair_share=0.25)
    # 5 sigma of a share of a quarter among 2,000 items is 0.05.
    assert (catalogue.cluster >= 5).mean() == pytest.approx(0.25, abs=0.05)
    assert catalogue.cluster.max() < 10
