import numpy as np
import pytest

from components.trainer import candidates


def build(**changes):
    arguments = {
        "vocabulary": [b"b", b"a"],
        "counts": {b"a": 3, b"b": 5, b"elsewhere": 9},
        "catalog_item_id": [b"z", b"a", b"c"],
        "catalog_creator": [2, 1, 0],
        "catalog_categories": [[3, 1], [1, 3, 3], []],
        "max_categories": 2,
    }
    return candidates.build_candidate_table(**{**arguments, **changes})


def test_trained_items_come_first_then_new_ones_by_id():
    table = build()

    assert table.item_id.tolist() == [b"b", b"a", b"c", b"z"]
    assert table.num_trained == 2
    assert len(table) == 4
    assert table.count.tolist() == [5, 3, 0, 0]


def test_features_follow_their_item_and_the_log_only_item_has_none():
    table = build()

    assert table.creator_index.tolist() == [0, 1, 0, 2]
    assert table.category_index.tolist() == [[0, 0], [1, 3], [0, 0], [1, 3]]
    assert (table.sizes.creators, table.sizes.categories) == (3, 4)


def test_category_sets_are_equal_whatever_their_order_and_repeats():
    table = build()

    (log_only, a, c, z) = table.category_set
    assert a == z > 0
    assert log_only == c == 0


def test_category_set_counts_categories_beyond_those_the_tower_reads():
    table = build(catalog_categories=[[1, 2, 3], [1, 2], []])

    row = dict(zip(table.item_id.tolist(), range(4), strict=True))
    np.testing.assert_array_equal(
        table.category_index[row[b"z"]], table.category_index[row[b"a"]]
    )
    assert table.category_set[row[b"z"]] != table.category_set[row[b"a"]]


def test_similar_set_key_of_nothing_resembles_nothing():
    key = candidates.similar_set_key(build())

    assert key[0].tolist() == [-1, -1]
    assert key[1, 0] == 1
    assert key[1, 1] == key[3, 1] > 0
    assert key[2].tolist() == [-1, -1]


def test_catalogue_alone_is_enough():
    table = build(vocabulary=[], counts={})

    assert table.item_id.tolist() == [b"a", b"c", b"z"]
    assert table.num_trained == 0


def test_no_candidate_at_all_is_refused():
    with pytest.raises(ValueError, match="no candidate"):
        build(
            vocabulary=[], catalog_item_id=[], catalog_creator=[], catalog_categories=[]
        )


def test_sets_that_do_not_count_resemble_nothing():
    both = candidates.similar_set_key(build())

    creator = candidates.similar_set_key(build(), ("creator",))
    neither = candidates.similar_set_key(build(), ())

    assert creator[:, 0].tolist() == both[:, 0].tolist()
    assert set(creator[:, 1]) == set(neither.ravel()) == {-1}
    assert both[:, 1].max() > 0
