"""Inputs that a training must survive, or refuse with one clear sentence."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import candidates, input_fn, training
from schema import errors, features
from tests.components import tiny_pipeline

VIEW = 8
"""Bit of the only action that is left; see `FeedbackSettings.names()`."""


def config(**changes):
    return tiny_pipeline.trainer_config(query_tower="transformer", **changes)


def weights(two_tower):
    return [v.numpy() for v in two_tower.trainable_weights]


def history(run_dir):
    with open(os.path.join(run_dir, training.HISTORY_FILE), encoding="utf-8") as file:
        return json.load(file)


def records(tmp_path, serialized, change=None):
    """Writes examples, each after `change(feature map)`."""
    changed = []
    for record in serialized:
        example = tf.train.Example.FromString(record)
        if change is not None:
            change(example.features.feature)
        changed.append(example.SerializeToString(deterministic=True))
    return [tiny_pipeline.write_records(tmp_path / "changed.gz", changed)]


def assert_finite(two_tower, run_dir):
    for value in weights(two_tower):
        assert np.isfinite(value).all()
    for record in history(run_dir):
        assert np.isfinite(list(record.values())).all()


def test_log_without_a_negative_event_trains_as_positives_alone(
    train, tiny_log, tmp_path
):
    def only_views(feature):
        values = feature[features.ACTION_SET].int64_list.value
        values[:] = [VIEW] * len(values)

    train_files = records(tmp_path, tiny_log.transformed["train"], only_views)
    (tmp_path / "eval").mkdir()
    eval_files = records(tmp_path / "eval", tiny_log.transformed["eval"], only_views)
    found = {
        arm: train(
            arm,
            config=config(arm=arm),
            train_files=train_files,
            eval_files=eval_files,
        )
        for arm in ("label", "none")
    }

    # What the terms for dislikes hold beside the towers has learnt nothing.
    towers = [
        weights(tower)
        for two_tower, *_ in found.values()
        for tower in (two_tower.query_tower, two_tower.candidate_tower)
    ]
    for one, other in zip(towers[0] + towers[1], towers[2] + towers[3], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(
        weights(found["label"][0].consumption_query)[0], np.eye(8)
    )
    for record in history(found["label"][2]):
        assert "val_ndcg@10" in record
        assert "val_negative_ndcg@10" not in record


def test_one_single_user_trains_to_the_end(train, tiny_log, tmp_path):
    (tmp_path / "eval").mkdir()

    two_tower, _, run_dir = train(
        train_files=records(tmp_path, tiny_log.transformed["train"][:1]),
        eval_files=records(tmp_path / "eval", []),
    )

    assert [record["epoch"] for record in history(run_dir)] == [1, 2]
    assert_finite(two_tower, run_dir)


@pytest.mark.parametrize("query_tower", ["gru", "transformer"])
def test_histories_of_one_element_train_beside_long_ones(
    train, tiny_log, tmp_path, query_tower
):
    """Every second window is cut to its first element, and all times are equal."""
    cut = iter([True, False] * 1_000)
    labels = []

    def shorten(feature):
        for name in (features.LOG_GAP, features.KEPT_LOG_GAP):
            values = feature[name].float_list.value
            values[:] = [0.0] * len(values)
        if next(cut):
            for name in (features.ITEM_ID, *input_fn.SEQUENCE_FEATURES):
                column = feature[name]
                values = getattr(column, column.WhichOneof("kind")).value
                del values[1:]
        labels.append(sum(feature[features.IS_LABEL].int64_list.value))

    train_files = records(tmp_path, tiny_log.transformed["train"], shorten)
    two_tower, _, run_dir = train(
        config=tiny_pipeline.trainer_config(query_tower=query_tower, epochs=1),
        train_files=train_files,
    )

    assert min(labels) <= 1 < max(labels)
    assert history(run_dir)[0]["positions"] == sum(labels)
    assert_finite(two_tower, run_dir)


@pytest.mark.parametrize(
    "softmax", ["full", pytest.param("sampled", marks=pytest.mark.slow)]
)
def test_vocabulary_of_one_item_has_nothing_to_learn(train, training_data, softmax):
    """Its probability is 1 whatever the weights: each loss is 0, and it ranks first."""
    item = training_data.table.item_id[0]
    alone = candidates.build_candidate_table([item], {item: 9}, [item], [0], [[]], 2)

    two_tower, _, run_dir = train(
        table=alone,
        config=config(softmax=softmax, sampled_in_batch=4, sampled_uniform=4),
    )

    assert [record["loss"] for record in history(run_dir)] == [0.0, 0.0]
    assert_finite(two_tower, run_dir)


def test_longer_history_than_the_setting_is_refused(train):
    """Ingestion cuts windows; longer ones were made with another setting."""
    short = config()
    short = short.model_copy(
        update={
            "history": short.history.model_copy(
                update={"max_length": 6, "min_context": 2}
            )
        }
    )

    with pytest.raises(
        errors.InputError,
        match=r"more than `history\.max_length` = 6 elements: run again from ingestion",
    ):
        train(config=short)


def test_batches_without_any_label_do_no_harm(train, tiny_log, tmp_path):
    """Every second window has no label left, a batch is one window."""
    masked = iter([True, False] * 100)

    def hide(feature):
        if next(masked):
            values = feature[features.IS_LABEL].int64_list.value
            values[:] = [0] * len(values)

    two_tower, _, run_dir = train(
        config=config(batch_size=1, epochs=1),
        train_files=records(tmp_path, tiny_log.transformed["train"][:10], hide),
    )

    assert_finite(two_tower, run_dir)
    kept = [
        tf.train.Example.FromString(record).features.feature[features.IS_LABEL]
        for record in tiny_log.transformed["train"][1:10:2]
    ]
    assert history(run_dir)[0]["positions"] == sum(
        sum(feature.int64_list.value) for feature in kept
    )


def test_loss_that_turns_nan_keeps_the_last_good_checkpoint(train):
    def settings(epochs, rate):
        # The rate of a schedule is no part of the checkpoint.
        return config(
            epochs=epochs, learning_rate=rate, learning_rate_schedule="cosine"
        )

    good, *_ = train(config=settings(1, 1e-3))
    with pytest.raises(
        FloatingPointError,
        match=r"step \d+ of epoch 2; the checkpoint of epoch 1 is kept; lower",
    ):
        train(config=settings(3, 1e38))

    again, state, _ = train(config=settings(1, 1e-3))
    assert len(state.history) == 1
    for one, other in zip(weights(good), weights(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_last_step_that_breaks_the_weights_is_not_kept(train, tmp_path):
    """The loss of an epoch's only step is that of the weights before it."""
    broken = config(epochs=1, batch_size=1_000, learning_rate=float("1e39"))

    with pytest.raises(FloatingPointError, match=r"not finite at step 1 of epoch 1"):
        train(config=broken)

    state = tmp_path / "run-state"
    assert not state.exists() or not os.listdir(state)


def test_settings_of_the_tests_are_those_of_the_policy():
    names = tiny_pipeline.FEEDBACK.names()
    assert 1 << names.index("view") == VIEW
