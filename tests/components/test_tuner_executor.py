"""The Tuner's executor on artifacts of the tiny log."""

from __future__ import annotations

import json
import pathlib

import keras_tuner
import pydantic
import pytest
from tfx.types import standard_artifacts, standard_component_specs

from components.tuner import component, search
from schema import features, settings
from tests.components import fake_artifacts, tiny_pipeline

TUNING = settings.TuningSettings(
    trials=2,
    learning_rate=(1e-3, 1e-2),
    batch_size=(16, 32),
    embedding_dim=(8,),
    hidden_dim=(12, 14),
)


def drawn(seed, trials=3):
    """The values of the first trials, without training any."""
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("m", "max"),
        max_trials=trials,
        seed=seed,
        hyperparameters=search.space(TUNING),
    )
    return [oracle.populate_space(str(n))["values"] for n in range(trials)]


def test_search_is_seeded_and_stays_in_the_ranges():
    trials = drawn(seed=1)

    assert trials == drawn(seed=1)
    assert trials != drawn(seed=2)
    for values in trials:
        assert 1e-3 <= values["train.learning_rate"] <= 1e-2
        assert 0.0 <= values["model.dropout"] <= 0.5
        assert values["model.embedding_dim"] == 8
        assert values["model.hidden_dim"] in (12, 14)
        assert values["train.batch_size"] in (16, 32)


def test_values_enter_the_configuration_and_are_checked():
    config = tiny_pipeline.trainer_config(query_tower="transformer")

    tuned = search.with_values(config, {"model.hidden_dim": 20, "train.batch_size": 4})

    assert (tuned.model.hidden_dim, tuned.train.batch_size) == (20, 4)
    assert tuned.feedback == config.feedback
    # Two heads cannot share 13 units.
    with pytest.raises(pydantic.ValidationError):
        search.with_values(config, {"model.hidden_dim": 13})


def test_best_of_the_trials_is_written(tiny_log, tmp_path):
    # The log is noise: only what was learnt by heart has a metric above 0.
    learnt = tiny_log.transformed[features.TRAIN]
    examples = fake_artifacts.examples(
        tmp_path / "examples", {features.TRAIN: learnt, features.EVAL: learnt}
    )
    catalog = fake_artifacts.examples(
        tmp_path / "catalog", {features.CATALOG: tiny_log.transformed_catalog}
    )
    graphs = [
        fake_artifacts.make(standard_artifacts.TransformGraph, folder)
        for folder in (tiny_log.transform_dir, tiny_log.catalog_transform_dir)
    ]
    outputs = {
        "best_hyperparameters": fake_artifacts.make(
            standard_artifacts.HyperParameters, tmp_path / "best"
        ),
        "tuner_results": fake_artifacts.make(
            standard_artifacts.TunerResults, tmp_path / "results"
        ),
    }
    config = tiny_pipeline.trainer_config(query_tower="transformer", epochs=1)
    executor = component.Executor()
    executor._context = component.Executor.Context(
        tmp_dir=str(tmp_path / "work"), unique_id="1"
    )

    executor.Do(
        {
            "examples": [examples],
            "transform_graph": [graphs[0]],
            "catalog": [catalog],
            "catalog_transform_graph": [graphs[1]],
        },
        {name: [artifact] for name, artifact in outputs.items()},
        {
            standard_component_specs.TRAIN_ARGS_KEY: '{"splits": ["train"]}',
            standard_component_specs.EVAL_ARGS_KEY: '{"splits": ["eval"]}',
            "tuner_fn": component.TUNER_FN,
            "custom_config": json.dumps(
                {"config": config.to_json(), "tuning": TUNING.to_json()}
            ),
        },
    )

    trials = json.loads(
        (pathlib.Path(outputs["tuner_results"].uri) / "tuner_results.json").read_text()
    )
    best = json.loads(
        (
            pathlib.Path(outputs["best_hyperparameters"].uri) / component.BEST_FILE
        ).read_text()
    )["values"]
    assert len(trials) == 2
    assert len({trial["score"] for trial in trials}) == 2
    winner = max(trials, key=lambda trial: trial["score"])
    assert best == {key: winner[key] for key in best}
    assert set(best) == set(search.space(TUNING).values)
