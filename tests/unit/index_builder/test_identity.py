"""Small SavedModels that answer alike, or otherwise in one place."""

import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from components.index_builder import identity

REPOSITORY = pathlib.Path(__file__).parents[3]
_SAVE = """
import sys
from tests.unit.index_builder import test_identity
test_identity.save(sys.argv[1], sys.argv[2])
"""


class Answers(tf.Module):
    """Looks words up in a table and a file, and weighs what it finds."""

    def __init__(
        self,
        file,
        weight=2.0,
        factor=3.0,
        value_of_a=1,
        combine=tf.subtract,
        otherwise=tf.negative,
        unused=None,
    ):
        super().__init__()
        self.weight = tf.Variable([weight, 1.0])
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["a", "b"], [value_of_a, 2]), -1
        )
        words = tf.lookup.TextFileInitializer(
            file,
            tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
        )  # fmt: skip
        self.words = tf.lookup.StaticHashTable(words, -1)
        self.large = tf.constant([float(n) for n in range(100)])
        if unused is not None:
            self.unused = tf.Variable(unused)

        @tf.function
        def inner(x):
            return tf.cond(
                tf.reduce_all(x > 0.0), lambda: x * factor, lambda: otherwise(x)
            )

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
        def answer(word):
            one = tf.cast(self.table.lookup(word), tf.float32)
            two = tf.gather(self.large, self.words.lookup(word) + 1)
            return {"y": inner(combine(one * self.weight[0], two))}

        self.answer = answer


def save(directory, file, **changes):
    module = Answers(file, **changes)
    tf.saved_model.save(module, directory, signatures={"ask": module.answer})
    return directory


@pytest.fixture
def make(tmp_path):
    """Saves a model and returns its digest."""
    numbers = iter(range(100))

    def run(words="c\nd\n", **changes):
        file = tmp_path / "words"
        file.write_text(words)
        directory = save(str(tmp_path / str(next(numbers))), str(file), **changes)
        return identity.of_answers(directory)

    return run


def test_a_model_that_is_saved_once_more_is_the_same(make):
    """Its functions have other names: they carry a counter of the process."""
    first = make()

    assert make() == first
    assert make(unused=5.0) == first


def test_a_model_of_another_process_is_the_same(make, tmp_path):
    first = make()
    fresh = str(tmp_path / "fresh")
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(REPOSITORY)}
    subprocess.run(
        [sys.executable, "-c", _SAVE, fresh, str(tmp_path / "words")],
        check=True, capture_output=True, cwd=REPOSITORY, env=environment,
    )  # fmt: skip

    assert identity.of_answers(fresh) == first
    graphs = [pathlib.Path(d, "saved_model.pb") for d in (fresh, str(tmp_path / "0"))]
    # Or comparing bytes would do.
    assert graphs[0].read_bytes() != graphs[1].read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 2.5},
        {"factor": 4.0},
        {"value_of_a": 7},
        {"words": "d\nc\n"},
        {"combine": lambda one, two: tf.subtract(two, one)},
        {"combine": tf.add},
        {"otherwise": tf.abs},
    ],
)
def test_other_numbers_and_other_operations_are_another_model(make, change):
    assert make(**change) != make()
