import pytest
import tensorflow as tf

from components.trainer import candidates, catalog_columns
from schema import features, settings
from tests import transformed_records

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

    counts = catalog_columns.read_item_counts(
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
    table = catalog_columns.read_candidate_table(
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
    columns = catalog_columns.CatalogColumns()
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
