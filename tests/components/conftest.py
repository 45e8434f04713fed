"""A tiny log, and models exported from it, made once a session where asked for."""

import dataclasses
import os
import pathlib

import pytest


@pytest.fixture(scope="session")
def tiny_log(tmp_path_factory):
    from tests.components import tiny_pipeline

    return tiny_pipeline.build_log(str(tmp_path_factory.mktemp("tiny_log")))


@pytest.fixture(scope="session")
def towers_in_memory(tiny_log, tmp_path_factory):
    """(arm, query tower) -> (towers, candidate table)."""
    from tests.components import tiny_pipeline

    made = {}

    def make(arm="feature_and_label", query_tower="transformer"):
        if (arm, query_tower) not in made:
            folder = str(tmp_path_factory.mktemp("towers"))
            made[arm, query_tower] = tiny_pipeline.make_towers(
                tiny_log, folder, arm, query_tower
            )
        return made[arm, query_tower]

    return make


@pytest.fixture(scope="session")
def exported_towers(towers_in_memory, tmp_path_factory):
    """(arm, query tower) -> the folder of the Trainer's model artifact."""
    from components.trainer import signatures

    made = {}

    def export(arm="feature_and_label", query_tower="transformer"):
        if (arm, query_tower) not in made:
            folder = str(tmp_path_factory.mktemp(f"towers_{arm}_{query_tower}"))
            towers, _ = towers_in_memory(arm, query_tower)
            signatures.export(towers, os.path.join(folder, "Format-Serving"))
            made[arm, query_tower] = folder
        return made[arm, query_tower]

    return export


@pytest.fixture(scope="session")
def exported_model(tiny_log, exported_towers, tmp_path_factory):
    """(arm, query tower) -> the folder of IndexBuilder's model artifact."""
    from tests.components import tiny_pipeline

    made = {}

    def export(arm="feature_and_label", query_tower="transformer", index=None):
        key = (arm, query_tower, index)
        if key not in made:
            towers_folder = exported_towers(arm, query_tower)
            folder = str(tmp_path_factory.mktemp(f"model_{arm}_{query_tower}"))
            made[key] = tiny_pipeline.make_model(tiny_log, towers_folder, folder, index)
        return pathlib.Path(made[key])

    return export


@pytest.fixture
def raw_examples(tiny_log, tmp_path):
    """An Examples artifact of the tiny log; splits may be replaced."""
    from tests.components import fake_artifacts, tiny_pipeline

    def make(**splits):
        windows = {
            "train": tiny_log.train,
            "eval": tiny_log.eval,
            "test": tiny_log.test,
            **splits,
        }
        return fake_artifacts.examples(
            os.path.join(tmp_path, "examples"),
            {
                name: [tiny_pipeline.serialized(w.columns()) for w in found]
                for name, found in windows.items()
            },
        )

    return make


@pytest.fixture(scope="session")
def training_data(tiny_log, tmp_path_factory):
    """What a training reads of the tiny log."""
    import tensorflow_transform as tft

    from components.trainer import training, warm_start
    from tests.components import tiny_pipeline

    folder = tmp_path_factory.mktemp("training")
    files = {
        name: tiny_pipeline.write_records(
            folder / f"{name}.gz", tiny_log.transformed[name]
        )
        for name in ("train", "eval")
    }
    table = tiny_pipeline.read_table(tiny_log, str(folder))
    catalog_transform = tft.TFTransformOutput(tiny_log.catalog_transform_dir)
    return training.Data(
        table=table,
        vocabularies=warm_start.read_vocabularies(table, catalog_transform),
        transform_output=tft.TFTransformOutput(tiny_log.transform_dir),
        train_files=[files["train"]],
        eval_files=[files["eval"]],
    )


@pytest.fixture
def train(training_data, tmp_path):
    """Trains; returns the model, its state and the folder of the run."""
    from components.trainer import training
    from tests.components import tiny_pipeline

    def run(name="run", config=None, **changes):
        run_dir = str(tmp_path / name)
        two_tower, state = training.train(
            training.Training(
                dataclasses.replace(training_data, **changes),
                config or tiny_pipeline.trainer_config(query_tower="transformer"),
                run_dir,
                str(tmp_path / f"{name}-state"),
            )
        )
        return two_tower, state, run_dir

    return run
