"""What was trained is what is served: from raw strings, in a process of its own."""

from __future__ import annotations

import collections
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.trainer import input_fn
from tests.components import tiny_pipeline

# A process that never saw this repository: TensorFlow alone loads the export.
_EMBED = """
import sys
import numpy as np
import tensorflow as tf

with np.load(sys.argv[1]) as stored:
    arrays = {name: tf.constant(stored[name]) for name in stored}
found = {}
for directory in sys.argv[3:]:
    signatures = tf.saved_model.load(directory).signatures
    found[directory] = signatures["serving_default"](**arrays)["query_embedding"]
np.savez(sys.argv[2], *[embedding.numpy() for embedding in found.values()])
"""
TOWERS = ("gru", "transformer")


def request(histories, width=None):
    """Request arrays from lists of (item id, action, timestamp, value)."""
    width = width or max(map(len, histories), default=0)
    shape = (len(histories), width)
    item_id, action = np.full(shape, b"", object), np.full(shape, b"", object)
    timestamp = np.zeros(shape, np.int64)
    value = np.full(shape, np.nan, np.float32)
    for row, history in enumerate(histories):
        for column, element in enumerate(history):
            item_id[row, column], action[row, column] = element[:2]
            timestamp[row, column], value[row, column] = element[2:]
    return {
        "history_item_id": item_id,
        "history_action": action,
        "history_timestamp": timestamp,
        "history_value": value,
    }


def elements(window):
    return list(
        zip(window.item_id, window.action, window.timestamp, window.value, strict=True)
    )


def embed(towers, histories, **options):
    arrays = {
        name: tf.constant(array, tf.string if array.dtype == object else None)
        for name, array in request(histories, **options).items()
    }
    # Tracing a GRU takes seconds an arm; the exported towers are traced below.
    embed_query = towers.embed_query.python_function
    return embed_query(**arrays)["query_embedding"].numpy()


@pytest.mark.parametrize("query_tower", TOWERS)
@pytest.mark.parametrize("arm", ["feature_and_label", "drop"])
def test_training_state_is_the_serving_state_of_its_prefix(
    tiny_log, towers_in_memory, tmp_path, arm, query_tower
):
    """Training sees whole transformed windows, serving the raw prefix of each."""
    towers, table = towers_in_memory(arm, query_tower)
    path = tiny_pipeline.write_records(
        tmp_path / "train.gz", tiny_log.transformed["train"]
    )
    (batch,) = input_fn.windows(
        [path],
        tft.TFTransformOutput(tiny_log.transform_dir),
        input_fn.row_lookup(table.item_id),
        batch_size=1_000,
        max_length=tiny_pipeline.MAX_LENGTH,
    )
    model, item = towers.two_tower, towers.two_tower.candidate_tower(table.num_trained)
    dislikes = model.dislikes(batch).numpy() & (arm == "feature_and_label")
    assert len({len(window.item_id) for window in tiny_log.train}) > 3

    # Beam writes in any order: windows are found again by their items.
    row_of = {
        tuple(table.item_id[r] for r in rows if r >= 0): n
        for n, rows in enumerate(batch["candidate_row"].numpy())
    }
    for position in range(tiny_pipeline.MAX_LENGTH + 1):
        windows = [w for w in tiny_log.train if len(w.item_id) >= position]
        served = embed(towers, [elements(w)[:position] for w in windows])
        # The log's gaps are short: the number of later elements alone decides.
        is_fresh = np.arange(tiny_pipeline.MAX_LENGTH) >= position - 6
        states = model.query_embeddings(
            batch, item, tf.constant(dislikes & is_fresh)
        ).numpy()
        trained = [states[row_of[tuple(w.item_id)], position] for w in windows]
        served = served[:, : states.shape[-1]]
        np.testing.assert_allclose(served, trained, atol=2e-5)


def test_export_in_a_fresh_process_gives_the_state_in_memory(
    tiny_log, towers_in_memory, exported_towers, tmp_path
):
    histories = [elements(window) for window in tiny_log.test] + [
        [],
        [(b"never seen", b"no such action", 5, 0.5)],
    ]
    asked, answered = tmp_path / "asked.npz", tmp_path / "answered.npz"
    arrays = request(histories)
    np.savez(
        asked,
        **{n: a.astype(bytes) if a.dtype == object else a for n, a in arrays.items()},
    )

    subprocess.run(
        [sys.executable, "-c", _EMBED, str(asked), str(answered)]
        + [
            os.path.join(exported_towers(query_tower=kind), "Format-Serving")
            for kind in TOWERS
        ],
        check=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "3"},
    )

    with np.load(answered) as stored:
        for kind, name in zip(TOWERS, stored.files, strict=True):
            expected = embed(towers_in_memory(query_tower=kind)[0], histories)
            assert np.ptp(expected, axis=0).max() > 0.1  # not all the same
            np.testing.assert_allclose(stored[name], expected, atol=1e-5)


@pytest.mark.parametrize("query_tower", TOWERS)
def test_only_the_newest_elements_of_a_long_history_count(
    tiny_log, towers_in_memory, query_tower
):
    towers, _ = towers_in_memory("feature_and_label", query_tower)
    long = elements(tiny_log.test[0]) + [
        (item, action, timestamp + 10**9, value)
        for item, action, timestamp, value in elements(tiny_log.test[1])
    ]
    assert len(long) > tiny_pipeline.MAX_LENGTH

    np.testing.assert_allclose(
        embed(towers, [long]),
        embed(towers, [long[-tiny_pipeline.MAX_LENGTH :]]),
        atol=1e-5,
    )


@pytest.mark.parametrize("query_tower", TOWERS)
def test_pads_and_neighbours_change_nothing(tiny_log, towers_in_memory, query_tower):
    towers, _ = towers_in_memory("feature_and_label", query_tower)
    short, long = elements(tiny_log.test[0])[:3], elements(tiny_log.test[1])

    alone = embed(towers, [short])

    np.testing.assert_allclose(embed(towers, [short], width=9), alone, atol=1e-5)
    np.testing.assert_allclose(embed(towers, [long, short])[1:], alone, atol=1e-5)


# --- the arms, from raw strings ---------------------------------------------------


def plain_history():
    """Five views, of which any may be treated."""
    start = 1_700_000_000_000
    return [
        (tiny_pipeline.item_id(n), b"view", start + n * n * 600_000, 1.0)
        for n in range(5)
    ]


def treated(history, position, action=b"dislike|view"):
    changed = list(history)
    item, _, timestamp, value = changed[position]
    changed[position] = (item, action, timestamp, value)
    return changed


@pytest.mark.parametrize("query_tower", TOWERS)
@pytest.mark.parametrize("arm", ["none", "label"])
def test_arms_without_the_feature_answer_a_dislike_exactly_as_the_control(
    towers_in_memory, arm, query_tower
):
    towers, _ = towers_in_memory(arm, query_tower)
    history = plain_history()
    control = embed(towers, [history])

    for position in range(5):
        for action in (b"dislike|view", b"dislike", b"skip|view", b"dislike|skip"):
            answer = embed(towers, [treated(history, position, action)])
            np.testing.assert_array_equal(answer, control)


@pytest.mark.parametrize("query_tower", TOWERS)
@pytest.mark.parametrize("position", range(5))
def test_arm_drop_leaves_no_trace_of_a_disliked_element(
    towers_in_memory, position, query_tower
):
    """Not even in the time that seems to lie between its neighbours."""
    towers, _ = towers_in_memory("drop", query_tower)
    history = plain_history()

    with_dislike = embed(towers, [treated(history, position)])
    without = embed(towers, [history[:position] + history[position + 1 :]])

    np.testing.assert_allclose(with_dislike, without, atol=1e-6)


@pytest.mark.parametrize("query_tower", TOWERS)
def test_arm_with_the_feature_answers_a_dislike_otherwise(
    towers_in_memory, query_tower
):
    towers, _ = towers_in_memory("feature_and_label", query_tower)
    history = plain_history()

    change = embed(towers, [treated(history, 4)]) - embed(towers, [history])

    assert np.abs(change).max() > 1e-3


@pytest.mark.parametrize(("control", "as_if"), [(np.nan, 1.0), (-3.0, 0.0), (9.0, 2.0)])
def test_user_control_is_clipped_and_without_one_the_default_holds(
    towers_in_memory, control, as_if
):
    towers, _ = towers_in_memory("feature_and_label")
    history = treated(plain_history(), 3)
    arrays = {
        name: tf.constant(array, tf.string if array.dtype == object else None)
        for name, array in request([history]).items()
    }

    asked, expected, other = (
        towers.embed_controlled_query.python_function(
            **arrays, user_control=tf.constant([c], tf.float32)
        )["query_embedding"].numpy()
        for c in (control, as_if, 0.5)
    )

    np.testing.assert_array_equal(asked, expected)
    assert np.abs(asked - other).max() > 1e-3


def test_candidates_are_those_of_the_tower(tiny_log, towers_in_memory, exported_towers):
    towers, table = towers_in_memory()
    loaded = tf.saved_model.load(os.path.join(exported_towers(), "Format-Serving"))

    found = loaded.signatures["candidates"]()

    assert found["item_id"].numpy().tolist() == table.item_id.tolist()
    assert len(table) == tiny_pipeline.NUM_ITEMS
    tower = towers.two_tower.candidate_tower(tiny_pipeline.NUM_ITEMS)
    embedding = found["embedding"].numpy()
    np.testing.assert_array_equal(embedding[:, : tower.shape[1]], tower)
    # Then the codes: eight that are fitted, and those of creators, a tenth as long.
    code = embedding[:, tower.shape[1] :]
    assert code.shape == (tiny_pipeline.NUM_ITEMS, 8 + 32)
    of_creator = collections.defaultdict(set)
    for creator, row in zip(table.creator_index, code[:, 8:], strict=True):
        of_creator[creator].add(tuple(row))
    assert {len(found) for found in of_creator.values()} == {1}
    assert len({*of_creator[0], *of_creator[1], *of_creator[2]}) == 3
    counts = collections.Counter(
        item
        for window in tiny_log.train
        for item, is_label in zip(window.item_id, window.is_label, strict=True)
        if is_label
    )
    assert found["count"].numpy().tolist() == [counts[i] for i in table.item_id]
