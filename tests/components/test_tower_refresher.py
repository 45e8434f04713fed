"""Trained towers over a newer catalogue: same weights, other candidates."""

import os

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.tower_refresher import refresh
from components.trainer import config as trainer_config
from schema import errors, features, settings
from tests.components import tiny_pipeline

CONFIG = trainer_config.TrainerConfig(
    feedback=tiny_pipeline.FEEDBACK,
    history=settings.HistorySettings(
        max_length=tiny_pipeline.MAX_LENGTH, min_context=4
    ),
    # As `two_towers.make_model` makes them.
    model=settings.ModelSettings(
        query_tower="transformer",
        embedding_dim=8,
        hidden_dim=12,
        num_layers=2,
        num_heads=3,
        dropout=0.0,
        id_dropout=0.0,
        max_categories=4,
        negative_signal="feature_and_label",
        avoidance_code_dim=8,
    ),
    train=settings.TrainSettings(),
    control_action="view",
    control_value=1.0,
)


@pytest.fixture
def refreshed(tiny_log, exported_towers, tmp_path):
    def make(items, config=CONFIG, event_transform=None):
        path = tiny_pipeline.write_records(
            tmp_path / "catalog.gz", [tiny_pipeline.serialized(item) for item in items]
        )
        return refresh.refreshed_towers(
            os.path.join(exported_towers(), "Format-Serving"),
            [path],
            tft.TFTransformOutput(tiny_log.catalog_transform_dir),
            tft.TFTransformOutput(event_transform or tiny_log.transform_dir),
            config,
        )

    return make


def embedding_of(towers):
    found = towers.candidates()
    ids = found["item_id"].numpy().tolist()
    return dict(zip(ids, found["embedding"].numpy(), strict=True))


def query_of(towers, item_id, action):
    shape = (1, len(item_id))
    return towers.embed_query(
        tf.constant([item_id]),
        tf.constant([action]),
        tf.zeros(shape, tf.int64),
        tf.fill(shape, float("nan")),
    )["query_embedding"].numpy()


def item(name, creator, categories):
    return {
        features.ITEM_ID: [name],
        features.CREATOR_ID: creator,
        features.CATEGORIES: categories,
        features.TITLE: [],
        features.ATTRIBUTES: [],
        features.CREATED_AT: [],
    }


def test_same_catalogue_gives_the_same_towers(refreshed, towers_in_memory):
    trained, table = towers_in_memory()

    towers = refreshed(tiny_pipeline.make_catalog())

    before, after = embedding_of(trained), embedding_of(towers)
    assert list(before) == list(after) == table.item_id.tolist()
    np.testing.assert_array_equal(list(before.values()), list(after.values()))
    history = (
        [tiny_pipeline.item_id(3), tiny_pipeline.item_id(8)],
        [b"view", b"dislike"],
    )
    np.testing.assert_allclose(
        query_of(towers, *history), query_of(trained, *history), atol=1e-6
    )


def test_new_and_changed_items_are_placed_by_their_features(
    refreshed, towers_in_memory, tiny_log
):
    """By numpy from the weights: id or shared id, creator, mean of the categories."""
    trained, table = towers_in_memory()
    items = tiny_pipeline.make_catalog()
    changed = items[5][features.ITEM_ID][0]
    items[5] = item(changed, [b"c2"], [b"news", b"comedy"])
    items.append(item(b"brand new", [b"c1"], [b"drama", b"no such category"]))
    items.append(item(b"bare", [b"no such creator"], []))

    found = embedding_of(refreshed(items))

    tower = trained.two_tower.candidate_tower
    shared, of_id = tower._id_embedding[0].numpy(), tower._id_embedding.numpy()
    transform = tft.TFTransformOutput(tiny_log.catalog_transform_dir)

    def weight(embedding, vocabulary, name):
        row = 1 + transform.vocabulary_by_name(vocabulary).index(name)
        return embedding[row].numpy()

    creator = lambda name: weight(tower._embeddings["creator"], "creator", name)  # noqa: E731
    category = lambda name: weight(tower._embeddings["category"], "category", name)  # noqa: E731
    row = table.item_id.tolist().index(changed)
    assert row < table.num_trained
    expected = {
        b"brand new": shared + creator(b"c1") + category(b"drama"),
        b"bare": shared,
        changed: of_id[row + 1]
        + creator(b"c2")
        + (category(b"news") + category(b"comedy")) / 2,
    }
    for name, vector in expected.items():
        np.testing.assert_allclose(found[name][: len(vector)], vector, atol=1e-6)
    # Codes follow: what has neither creator nor category nor an audience has none.
    code = {name: found[name][len(shared) :] for name in expected}
    assert code[b"brand new"].any()
    assert not code[b"bare"].any()
    unchanged = embedding_of(trained)
    assert set(found) == {*unchanged, b"brand new", b"bare"}
    for name in set(unchanged) - {changed}:
        np.testing.assert_array_equal(
            found[name][: len(shared)], unchanged[name][: len(shared)]
        )


def test_item_that_left_the_catalogue_is_still_understood(refreshed, towers_in_memory):
    """Histories hold it; whether it may be recommended is IndexBuilder's to say."""
    trained, _ = towers_in_memory()
    logged = tiny_pipeline.item_id(3)
    known = logged in embedding_of(trained)
    items = [i for i in tiny_pipeline.make_catalog() if i[features.ITEM_ID] != [logged]]

    found = embedding_of(refreshed(items))

    assert known
    assert logged in found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hidden_dim": 24}, None),
        ({"num_layers": 3}, "the model's code has changed"),
    ],
)
def test_other_towers_than_those_trained_are_refused(refreshed, change, reason):
    config = CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update=change)})

    with pytest.raises((errors.InputError, ValueError), match=reason):
        refreshed(tiny_pipeline.make_catalog(), config)


def test_vocabulary_of_another_run_is_refused(refreshed, tiny_log, tmp_path):
    import shutil

    other = shutil.copytree(tiny_log.transform_dir, tmp_path / "transform")
    file = tft.TFTransformOutput(str(other)).vocabulary_file_by_name("item")
    with open(file, "ab") as lines:
        lines.write(b"one more\n")

    with pytest.raises(errors.InputError, match=r"weights are of \d+ items.*heed run"):
        refreshed(tiny_pipeline.make_catalog(), event_transform=str(other))
