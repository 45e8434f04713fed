"""A request is answered alike, whoever counted the vocabularies of Transform."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.transform import vocabularies
from tests.components import tiny_pipeline


def by_tft(columns, files):
    """What `vocabularies.analyze` stands for, by the library's own analyzer."""
    return [
        tft.vocabulary(
            columns[file.column],
            vocab_filename=file.name,
            store_frequency=file.with_counts,
        )
        for file in files
    ]


@pytest.fixture(scope="module")
def log_by_tft(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabularies, "analyze", by_tft)
        return tiny_pipeline.build_log(str(tmp_path_factory.mktemp("by_tft")))


def answers(log, folder):
    """Queries after all held-out histories, and the candidates in their order."""
    towers, _ = tiny_pipeline.make_towers(log, str(folder), "feature_and_label", "gru")
    windows = [*log.eval, *log.test]
    # Tracing a GRU takes seconds.
    query = towers.embed_query.python_function(
        tf.constant([window.item_id for window in windows]),
        tf.constant([window.action for window in windows]),
        tf.constant([window.timestamp for window in windows], tf.int64),
        tf.constant([window.value for window in windows], tf.float32),
    )["query_embedding"].numpy()
    return query, towers.candidates()


def test_answers_are_equal_to_the_bit(tiny_log, log_by_tft, tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    query, candidate = answers(tiny_log, tmp_path / "ours")
    other_query, other_candidate = answers(log_by_tft, tmp_path / "theirs")

    assert len(query) == 20
    assert np.abs(np.diff(query, axis=0)).max(axis=1).min() > 0.0  # no two are alike
    np.testing.assert_array_equal(query, other_query)
    for name in ("item_id", "embedding", "count"):
        np.testing.assert_array_equal(candidate[name], other_candidate[name])
