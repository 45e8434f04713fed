import pytest
import tensorflow as tf

from components.trainer import candidates
from schema import features, settings
from tests import transformed_records


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


def test_catalogue_alone_is_enough():
    table = build(vocabulary=[], counts={})

    assert table.item_id.tolist() == [b"a", b"c", b"z"]
    assert table.num_trained == 0


def test_no_candidate_at_all_is_refused():
    with pytest.raises(ValueError, match="no candidate"):
        build(
            vocabulary=[], catalog_item_id=[], catalog_creator=[], catalog_categories=[]
        )


CATALOG_SPEC = {
    features.ITEM_ID: tf.io.FixedLenFeature([], tf.string),
    features.CREATOR_INDEX: tf.io.VarLenFeature(tf.int64),
    features.CATEGORY_INDEX: tf.io.VarLenFeature(tf.int64),
    features.ATTRIBUTE_INDEX: tf.io.VarLenFeature(tf.int64),
    features.TITLE_TOKEN: tf.io.VarLenFeature(tf.int64),
}


def test_item_counts_are_read_with_every_odd_character_of_the_id(tmp_path):
    path = tmp_path / "counts"
    path.write_bytes("12 a\n7 two words\n3  leading\n1 ünïcode \n".encode())

    counts = candidates.read_item_counts(
        transformed_records.transform_output({}, **{features.ITEM_COUNTS: str(path)})
    )

    assert counts == {
        b"a": 12,
        b"two words": 7,
        b" leading": 3,
        "ünïcode ".encode(): 1,
    }


@pytest.fixture
def catalog(tmp_path):
    return transformed_records.write(
        tmp_path / "catalog",
        [
            {
                features.ITEM_ID: [b"new"],
                features.CREATOR_INDEX: [2],
                features.CATEGORY_INDEX: [3, 0, 1],
                features.ATTRIBUTE_INDEX: [2, 4],
                # A hash may be 0; it is a word all the same.
                features.TITLE_TOKEN: [7, 0, 9],
            },
            {features.ITEM_ID: [b"a"]},
        ],
    )


@pytest.fixture
def events(tmp_path):
    counts = tmp_path / "counts"
    counts.write_bytes(b"5 b\n4 a\n")
    return transformed_records.transform_output(
        {},
        **{
            features.ITEM_COUNTS: str(counts),
            # TFT writes an empty word into an empty vocabulary.
            features.ITEM_VOCABULARY: [b"b", b"a", b""],
        },
    )


MODEL = settings.ModelSettings(max_categories=4, max_title_words=2)


def test_candidate_table_joins_vocabulary_and_catalogue(catalog, events):
    table = candidates.read_candidate_table(
        [catalog], transformed_records.transform_output(CATALOG_SPEC), events, MODEL
    )

    assert table.item_id.tolist() == [b"b", b"a", b"new"]
    assert table.num_trained == 2
    assert table.count.tolist() == [5, 4, 0]
    assert table.creator_index.tolist() == [0, 0, 2]
    assert table.category_index.tolist() == [[0] * 4, [0] * 4, [1, 3, 0, 0]]
    assert table.attribute_index.tolist() == [[0] * 4, [0] * 4, [2, 4, 0, 0]]
    assert table.title_token.tolist() == [[0, 0], [0, 0], [8, 1]]
    assert table.sizes == candidates.Sizes(creators=3, categories=4, attributes=5)


def test_what_embeddings_of_a_given_size_do_not_hold_counts_as_missing(catalog, events):
    columns = candidates.CatalogColumns()
    records = tf.data.TFRecordDataset([catalog], compression_type="GZIP")
    for serialized in records.batch(8):
        columns.append(tf.io.parse_example(serialized, CATALOG_SPEC))
    sizes = candidates.Sizes(creators=2, categories=3, attributes=3)

    table = columns.table(events, MODEL, sizes)

    assert table.creator_index.tolist() == [0, 0, 0]
    assert table.category_index.tolist() == [[0] * 4, [0] * 4, [1, 0, 0, 0]]
    assert table.attribute_index.tolist() == [[0] * 4, [0] * 4, [2, 0, 0, 0]]
    assert table.title_token.tolist() == [[0, 0], [0, 0], [8, 1]]
    assert table.sizes == sizes
