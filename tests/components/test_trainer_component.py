"""The Trainer's executor on artifacts: two trainings, the second from the first."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs

from components import artifacts
from components.trainer import component, training
from schema import errors, features
from tests.components import fake_artifacts, tiny_pipeline


@pytest.fixture
def train(tiny_log, tmp_path):
    """Runs the executor; returns the Trainer's model artifact."""
    examples = fake_artifacts.examples(
        tmp_path / "examples",
        {name: tiny_log.transformed[name] for name in (features.TRAIN, features.EVAL)},
    )
    catalog = fake_artifacts.examples(
        tmp_path / "catalog", {features.CATALOG: tiny_log.transformed_catalog}
    )

    def run(name, config, base_model=None):
        model = fake_artifacts.make(standard_artifacts.Model, tmp_path / name)
        model_run = fake_artifacts.make(
            standard_artifacts.ModelRun, tmp_path / f"{name}-run"
        )
        graphs = [
            fake_artifacts.make(standard_artifacts.TransformGraph, folder)
            for folder in (tiny_log.transform_dir, tiny_log.catalog_transform_dir)
        ]
        inputs = {
            "examples": [examples],
            "transform_graph": [graphs[0]],
            "catalog": [catalog],
            "catalog_transform_graph": [graphs[1]],
        }
        if base_model is not None:
            inputs["base_model"] = [base_model]
        custom = {
            "config": config.to_json(),
            "source_digest": "",
            "checkpoint_root": str(tmp_path / "checkpoints"),
        }
        component.Executor().Do(
            inputs,
            {"model": [model], "model_run": [model_run]},
            {
                standard_component_specs.TRAIN_ARGS_KEY: '{"splits": ["train"]}',
                standard_component_specs.EVAL_ARGS_KEY: '{"splits": ["eval"]}',
                "run_fn": component.RUN_FN,
                "custom_config": json.dumps(custom),
            },
        )
        return model

    return run


def index_model(towers, tmp_path):
    """IndexBuilder's model over the towers, as far as the Trainer reads it."""
    model = fake_artifacts.make(standard_artifacts.Model, tmp_path / "index_model")
    model.set_string_custom_property(
        artifacts.TRAINED_TOWERS_URI, artifact_utils.get_single_uri([towers])
    )
    return model


def embedding_of(model):
    towers = tf.saved_model.load(os.path.join(model.uri, "Format-Serving"))
    found = towers.candidates()
    return dict(zip(found["item_id"].numpy(), found["embedding"].numpy(), strict=True))


def test_second_training_starts_from_the_blessed_one(train, tmp_path):
    config = tiny_pipeline.trainer_config(query_tower="transformer", epochs=1)
    first = train("first", config)
    # At this rate a training changes nothing: the end is the start.
    still = tiny_pipeline.trainer_config(
        query_tower="transformer", epochs=1, learning_rate=1e-12, seed=99
    )

    warm = train("warm", still, index_model(first, tmp_path))

    before, after = embedding_of(first), embedding_of(warm)
    assert before.keys() == after.keys()
    for item, embedding in before.items():
        np.testing.assert_allclose(after[item], embedding, atol=1e-6)
    # The record of a warm start is one to start from in turn.
    assert os.path.exists(
        os.path.join(warm.uri, artifacts.WARM_START_RECORD + ".index")
    )


def test_base_model_that_does_not_fit_is_refused(train, tmp_path):
    towers = fake_artifacts.make(standard_artifacts.Model, tmp_path / "old")

    with pytest.raises(errors.InputError, match=r"train\.warm_start=false"):
        train(
            "refused",
            tiny_pipeline.trainer_config(query_tower="transformer"),
            index_model(towers, tmp_path),
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("softmax", "query_tower"),
    [("full", "gru"), ("full", "transformer"), ("sampled", "gru")],
)
def test_two_workers_train_what_one_does(train, softmax, query_tower, tmp_path):
    """A batch of 7 of 50 windows: the last one has a single window, for one worker.

    Without dropout nothing is drawn, except the negatives of the sampled softmax: there
    each worker draws its own, and the two agree only on what they end with.
    """
    one = tiny_pipeline.trainer_config(
        query_tower=query_tower,
        batch_size=7,
        softmax=softmax,
        sampled_in_batch=50,
        sampled_uniform=50,
        avoidance_strength=2.5,
    )
    one = one.model_copy(
        update={"model": one.model.model_copy(update={"dropout": 0, "id_dropout": 0})}
    )
    two = one.model_copy(update={"train": one.train.model_copy(update=TWO_WORKERS)})

    models = {"one": train("one", one), "two": train("two", two)}

    told = {}
    for name in models:
        path = tmp_path / f"{name}-run" / training.HISTORY_FILE
        told[name] = json.loads(path.read_text())
    assert [epoch["positions"] for epoch in told["one"]] == [
        epoch["positions"] for epoch in told["two"]
    ]
    before, after = (embedding_of(model) for model in models.values())
    assert before.keys() == after.keys()
    if softmax == "full":
        for first, second in zip(told["one"], told["two"], strict=True):
            assert first["loss"] == pytest.approx(second["loss"], rel=1e-4)
            assert first["val_ndcg@10"] == pytest.approx(
                second["val_ndcg@10"], abs=1e-3
            )
        for item, embedding in before.items():
            np.testing.assert_allclose(after[item], embedding, atol=1e-4)
    else:
        assert all(np.isfinite(embedding).all() for embedding in after.values())
        assert told["two"][-1]["loss"] == pytest.approx(
            told["one"][-1]["loss"], rel=0.1
        )
    assert not os.listdir(tmp_path / "checkpoints")


TWO_WORKERS = {"num_workers": 2}


@pytest.mark.slow
def test_fault_that_a_worker_finds_is_told_as_one(train, tmp_path):
    towers = fake_artifacts.make(standard_artifacts.Model, tmp_path / "old")
    config = tiny_pipeline.trainer_config(query_tower="transformer", **TWO_WORKERS)

    with pytest.raises(errors.InputError, match=r"train\.warm_start=false"):
        train("refused", config, index_model(towers, tmp_path))
