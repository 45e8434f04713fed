import types

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import input_fn, model
from schema import features

SPEC = {
    features.ITEM_ID: tf.io.VarLenFeature(tf.string),
    features.ACTION_SET: tf.io.VarLenFeature(tf.int64),
    features.VALUE: tf.io.VarLenFeature(tf.float32),
    features.VALUE_PRESENT: tf.io.VarLenFeature(tf.int64),
    features.LOG_GAP: tf.io.VarLenFeature(tf.float32),
    features.KEPT_LOG_GAP: tf.io.VarLenFeature(tf.float32),
    features.IS_LABEL: tf.io.VarLenFeature(tf.int64),
}
CATALOG_SPEC = {
    features.ITEM_ID: tf.io.FixedLenFeature([], tf.string),
    features.CREATOR_INDEX: tf.io.VarLenFeature(tf.int64),
    features.CATEGORY_INDEX: tf.io.VarLenFeature(tf.int64),
}


def transform_output(spec, **vocabularies):
    """The two methods of TFTransformOutput that are called, with given answers."""
    return types.SimpleNamespace(
        transformed_feature_spec=lambda: dict(spec),
        vocabulary_by_name=lambda name: vocabularies[name],
        vocabulary_file_by_name=lambda name: vocabularies[name],
    )


def feature(values):
    if values and isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if values and isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write(path, examples):
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for example in examples:
            columns = {name: feature(values) for name, values in example.items()}
            message = tf.train.Example(features=tf.train.Features(feature=columns))
            writer.write(message.SerializeToString())
    return str(path)


def window(*items, **changes):
    count = len(items)
    return {
        features.ITEM_ID: list(items),
        features.ACTION_SET: [8] * count,
        features.VALUE: [0.5] * count,
        features.VALUE_PRESENT: [1] * count,
        features.LOG_GAP: [0.25] * count,
        features.KEPT_LOG_GAP: [0.75] * count,
        features.IS_LABEL: [1] * count,
        **changes,
    }


def lookup():
    return input_fn.row_lookup(np.array([b"a", b"b", b"c"], object))


def test_row_lookup_finds_rows_and_marks_the_unknown():
    found = lookup().lookup(tf.constant([["c", "a", "x", ""]]))

    assert found.numpy().tolist() == [[2, 0, -1, -1]]
    assert found.dtype == tf.int32


def test_windows_are_dense_aligned_and_as_long_as_asked(tmp_path):
    path = write(
        tmp_path / "a",
        [
            window(b"b", b"x", **{features.VALUE_PRESENT: [1, 0]}),
            window(b"c", **{features.ACTION_SET: [1], features.IS_LABEL: [0]}),
        ],
    )

    (batch,) = input_fn.windows(
        [path], transform_output(SPEC), lookup(), batch_size=4, max_length=3
    )

    assert {name: tensor.numpy().tolist() for name, tensor in batch.items()} == {
        model.CANDIDATE_ROW: [[1, -1, -1], [2, -1, -1]],
        model.IS_ELEMENT: [[True, True, False], [True, False, False]],
        features.ACTION_SET: [[8, 8, 0], [1, 0, 0]],
        features.VALUE: [[0.5, 0.5, 0.0], [0.5, 0.0, 0.0]],
        features.VALUE_PRESENT: [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
        features.LOG_GAP: [[0.25, 0.25, 0.0], [0.25, 0.0, 0.0]],
        features.KEPT_LOG_GAP: [[0.75, 0.75, 0.0], [0.75, 0.0, 0.0]],
        features.IS_LABEL: [[1, 1, 0], [0, 0, 0]],
    }
    assert batch[features.VALUE_PRESENT].dtype == tf.float32


def read_rows(dataset):
    return [
        row
        for batch in dataset
        for row in batch[model.CANDIDATE_ROW].numpy()[:, 0].tolist()
    ]


def test_files_are_read_by_name_and_the_last_batch_may_be_smaller(tmp_path):
    second = write(tmp_path / "b", [window(b"c")])
    first = write(tmp_path / "a", [window(b"a"), window(b"b")])

    dataset = input_fn.windows(
        [second, first], transform_output(SPEC), lookup(), batch_size=2, max_length=2
    )

    assert [len(batch[model.IS_ELEMENT]) for batch in dataset] == [2, 1]
    assert read_rows(dataset) == [0, 1, 2]
    assert read_rows(dataset) == [0, 1, 2]  # a second epoch


@pytest.fixture
def sixty(tmp_path):
    return write(tmp_path / "a", [window(item) for item in [b"a", b"b", b"c"] * 20])


def read_epochs(path, seed, first_epoch, number):
    num_batches, dataset_from = input_fn.epochs(
        [path], transform_output(SPEC), lookup(), batch_size=7, max_length=1, seed=seed
    )
    assert num_batches == 9  # 8 of seven windows and one of four
    batches = list(dataset_from(first_epoch).take(num_batches * number))
    assert [len(b[model.IS_ELEMENT]) for b in batches[:9]] == [7] * 8 + [4]
    return [read_rows(batches[n * 9 : n * 9 + 9]) for n in range(number)]


def test_epochs_are_shuffled_apart_and_lose_nothing(sixty):
    epochs = read_epochs(sixty, seed=1, first_epoch=0, number=3)

    for epoch in epochs:
        assert sorted(epoch) == [0] * 20 + [1] * 20 + [2] * 20
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_order_depends_on_the_seed_and_the_number_of_the_epoch_alone(sixty):
    three = read_epochs(sixty, seed=1, first_epoch=0, number=3)

    assert read_epochs(sixty, seed=1, first_epoch=0, number=3) == three
    assert read_epochs(sixty, seed=1, first_epoch=2, number=1) == three[2:]
    assert read_epochs(sixty, seed=7, first_epoch=0, number=1) != three[:1]


def test_files_without_records_give_no_batches(tmp_path):
    path = write(tmp_path / "a", [])

    assert (
        read_rows(input_fn.windows([path], transform_output(SPEC), lookup(), 2, 2))
        == []
    )


def test_no_files_give_no_batches():
    assert read_rows(input_fn.windows([], transform_output(SPEC), lookup(), 2, 2)) == []


def test_item_counts_are_read_with_every_odd_character_of_the_id(tmp_path):
    path = tmp_path / "counts"
    path.write_bytes("12 a\n7 two words\n3  leading\n1 ünïcode \n".encode())

    counts = input_fn.read_item_counts(
        transform_output({}, **{features.ITEM_COUNTS: str(path)})
    )

    assert counts == {
        b"a": 12,
        b"two words": 7,
        b" leading": 3,
        "ünïcode ".encode(): 1,
    }


@pytest.fixture
def catalog(tmp_path):
    return write(
        tmp_path / "catalog",
        [
            {
                features.ITEM_ID: [b"new"],
                features.CREATOR_INDEX: [2],
                features.CATEGORY_INDEX: [3, 0, 1],
            },
            {features.ITEM_ID: [b"a"]},
        ],
    )


def test_candidate_table_joins_vocabulary_and_catalogue(tmp_path, catalog):
    counts = tmp_path / "counts"
    counts.write_bytes(b"5 b\n4 a\n")
    events = transform_output(
        {},
        **{
            features.ITEM_COUNTS: str(counts),
            # TFT writes an empty word into an empty vocabulary.
            features.ITEM_VOCABULARY: [b"b", b"a", b""],
        },
    )

    table = input_fn.read_candidate_table(
        [catalog], transform_output(CATALOG_SPEC), events, max_categories=4
    )

    assert table.item_id.tolist() == [b"b", b"a", b"new"]
    assert table.num_trained == 2
    assert table.count.tolist() == [5, 4, 0]
    assert table.creator_index.tolist() == [0, 0, 2]
    assert table.category_index.tolist() == [[0] * 4, [0] * 4, [1, 3, 0, 0]]
