import numpy as np
import pytest
import tensorflow as tf

from components.trainer import input_fn
from schema import errors, features
from tests import transformed_records

SPEC = {
    features.ITEM_ID: tf.io.VarLenFeature(tf.string),
    features.ACTION_SET: tf.io.VarLenFeature(tf.int64),
    features.VALUE: tf.io.VarLenFeature(tf.float32),
    features.VALUE_PRESENT: tf.io.VarLenFeature(tf.int64),
    features.LOG_GAP: tf.io.VarLenFeature(tf.float32),
    features.KEPT_LOG_GAP: tf.io.VarLenFeature(tf.float32),
    features.IS_LABEL: tf.io.VarLenFeature(tf.int64),
}


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


def test_windows_are_dense_aligned_and_as_wide_as_the_longest(tmp_path):
    path = transformed_records.write(
        tmp_path / "a",
        [
            window(b"b", b"x", **{features.VALUE_PRESENT: [1, 0]}),
            window(b"c", **{features.ACTION_SET: [1], features.IS_LABEL: [0]}),
        ],
    )

    (batch,) = input_fn.windows(
        [path],
        transformed_records.transform_output(SPEC),
        lookup(),
        batch_size=4,
        max_length=8,
    )

    assert {name: tensor.numpy().tolist() for name, tensor in batch.items()} == {
        input_fn.CANDIDATE_ROW: [[1, -1], [2, -1]],
        input_fn.IS_ELEMENT: [[True, True], [True, False]],
        features.ACTION_SET: [[8, 8], [1, 0]],
        features.VALUE: [[0.5, 0.5], [0.5, 0.0]],
        features.VALUE_PRESENT: [[1.0, 0.0], [1.0, 0.0]],
        features.LOG_GAP: [[0.25, 0.25], [0.25, 0.0]],
        features.KEPT_LOG_GAP: [[0.75, 0.75], [0.75, 0.0]],
        features.IS_LABEL: [[1, 1], [0, 0]],
    }
    assert batch[features.VALUE_PRESENT].dtype == tf.float32


def read_rows(dataset):
    return [
        row
        for batch in dataset
        for row in batch[input_fn.CANDIDATE_ROW].numpy()[:, 0].tolist()
    ]


def test_files_are_read_by_name_and_the_last_batch_may_be_smaller(tmp_path):
    second = transformed_records.write(tmp_path / "b", [window(b"c")])
    first = transformed_records.write(tmp_path / "a", [window(b"a"), window(b"b")])

    dataset = input_fn.windows(
        [second, first],
        transformed_records.transform_output(SPEC),
        lookup(),
        batch_size=2,
        max_length=2,
    )

    assert [len(batch[input_fn.IS_ELEMENT]) for batch in dataset] == [2, 1]
    assert read_rows(dataset) == [0, 1, 2]
    assert read_rows(dataset) == [0, 1, 2]  # a second epoch


@pytest.fixture
def sixty(tmp_path):
    return transformed_records.write(
        tmp_path / "a", [window(item) for item in [b"a", b"b", b"c"] * 20]
    )


def read_epochs(path, seed, first_epoch, number):
    num_batches, dataset_from = input_fn.epochs(
        [path],
        transformed_records.transform_output(SPEC),
        lookup(),
        batch_size=7,
        max_length=1,
        seed=seed,
    )
    assert num_batches == 9  # 8 of seven windows and one of four
    batches = list(dataset_from(first_epoch).take(num_batches * number))
    assert [len(b[input_fn.IS_ELEMENT]) for b in batches[:9]] == [7] * 8 + [4]
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


@pytest.fixture
def short_and_long(tmp_path):
    """Thirty windows of one element, four of three, five of eight; shuffled."""
    items = [b"a", b"b", b"c"]
    lengths = np.random.default_rng(3).permutation([1] * 30 + [3] * 4 + [8] * 5)
    return transformed_records.write(
        tmp_path / "a", [window(*(items * 3)[:length]) for length in lengths]
    )


def read_shapes(path, epoch=0, part=(0, 1)):
    """[windows, columns] and the elements of each batch of an epoch."""
    num_batches, dataset_from = input_fn.epochs(
        [path],
        transformed_records.transform_output(SPEC),
        lookup(),
        batch_size=2,
        max_length=8,
        seed=1,
        part=part,
    )
    elements = [b[input_fn.IS_ELEMENT] for b in dataset_from(epoch).take(num_batches)]
    return [(*e.shape, int(tf.reduce_sum(tf.cast(e, tf.int32)))) for e in elements]


def test_a_step_takes_more_windows_where_they_are_short(short_and_long):
    """Two windows a step; of those with one element, an eighth, four times as many.

    By hand: 30 windows of one element are 8, 8, 8 and 6.
    """
    shapes = read_shapes(short_and_long)

    assert sorted(shapes) == [
        (1, 8, 8),
        (2, 3, 6),
        (2, 3, 6),
        (2, 8, 16),
        (2, 8, 16),
        (6, 1, 6),
        (8, 1, 8),
        (8, 1, 8),
        (8, 1, 8),
    ]
    assert sorted(read_shapes(short_and_long, epoch=1)) == sorted(shapes)


def test_workers_share_the_windows_of_a_batch_and_its_width(short_and_long):
    whole = read_shapes(short_and_long)
    parts = [read_shapes(short_and_long, part=(place, 3)) for place in range(3)]

    for (count, width, elements), *of_workers in zip(whole, *parts, strict=True):
        assert sum(c for c, _, _ in of_workers) == count
        assert sum(e for _, _, e in of_workers) == elements
        assert {w for _, w, _ in of_workers} == {width}
    assert 0 in {c for part in parts for c, _, _ in part}  # one that is empty


@pytest.mark.parametrize("read", [input_fn.windows, input_fn.epochs])
def test_a_window_longer_than_the_setting_is_refused(short_and_long, read):
    more = {"seed": 1} if read is input_fn.epochs else {}

    with (
        pytest.raises(errors.InputError, match=r"more than `history\.max_length` = 7"),
        input_fn.long_windows_are_bad_input(),
    ):
        list(
            read(
                [short_and_long],
                transformed_records.transform_output(SPEC),
                lookup(),
                batch_size=2,
                max_length=7,
                **more,
            )
        )


def test_files_without_records_give_no_batches(tmp_path):
    path = transformed_records.write(tmp_path / "a", [])

    assert (
        read_rows(
            input_fn.windows(
                [path], transformed_records.transform_output(SPEC), lookup(), 2, 2
            )
        )
        == []
    )


def test_no_files_give_no_batches():
    assert (
        read_rows(
            input_fn.windows(
                [], transformed_records.transform_output(SPEC), lookup(), 2, 2
            )
        )
        == []
    )
