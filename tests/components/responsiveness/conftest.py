"""Responsiveness of real exported models, in process and as the pipeline runs it."""

import dataclasses
import json
import shutil

import pytest
from tfx.types import standard_artifacts

from components import artifacts
from components.responsiveness import (
    batches,
    config,
    executor,
    measurement,
    recommend,
)
from schema import reports, settings
from serving.bundle import integrity, manifest
from tests.components import fake_artifacts, tiny_pipeline


def simulation_config(feedback=tiny_pipeline.FEEDBACK, **changes):
    return config.SimulationConfig(
        feedback=feedback,
        responsiveness=settings.ResponsivenessSettings(
            **{
                "simulations": 40,
                "trajectory_length": 4,
                "slate_size": 10,
                "cooccurrence_clusters": 5,
                "bootstrap_samples": 50,
                "batch_size": 15,
                "probe_simulations": 20,
                "decay_steps": 2,
                "doses": (1, 2),
                "neighbours": 10,
                "persistence_events": (1, 3),
                "persistence_gaps_ms": (86_400_000,),
                "undoing_likes": 2,
                "treatment_actions": ("dislike",),
                **changes,
            }
        ),
        max_length=tiny_pipeline.MAX_LENGTH,
    )


@pytest.fixture
def execute(raw_examples, tmp_path):
    """Runs the executor as the pipeline does, and returns the report's bytes."""

    def run(model, splits=None, **changes):
        output = fake_artifacts.make(
            artifacts.ResponsivenessReport, tmp_path / "responsiveness"
        )
        executor.Executor().Do(
            {
                "examples": [raw_examples(**(splits or {}))],
                "model": [fake_artifacts.make(standard_artifacts.Model, model)],
            },
            {"responsiveness": [output]},
            {"simulation_config": simulation_config(**changes).to_json()},
        )
        return (tmp_path / "responsiveness" / "responsiveness.json").read_bytes()

    return run


@pytest.fixture(scope="session")
def kept():
    """Model folder to the loaded model, and what was measured of it to the report."""
    return {}


@pytest.fixture
def measure(raw_examples, kept):
    """Measures, and returns the report as it is written; once for each question."""

    def run(model, splits=None, **changes):
        examples = raw_examples(**(splits or {}))
        folder = str(model / "Format-Serving")
        if folder not in kept:
            kept[folder] = recommend.load(folder)
        given = simulation_config(**changes)
        question = (folder, str(splits), given.to_json())
        if question not in kept:
            ask = recommend.through(kept[folder], given.max_length)
            report = measurement.measure(
                kept[folder],
                [f"{examples.uri}/Split-train/part-00000.gz"],
                [f"{examples.uri}/Split-judge/part-00000.gz"]
                if "judge" in (splits or {})
                else [],
                given,
                batches.run_in_process(ask),
            )
            kept[question] = reports.to_json(report)
        return json.loads(kept[question])

    return run


@pytest.fixture
def model_without(exported_model, tmp_path):
    """A copy of a model whose catalogue lacks some of its columns."""

    def make(**emptied):
        model = shutil.copytree(exported_model(), tmp_path / "model")
        path = model / "Format-Serving" / "assets.extra" / "catalog.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        items = [{**json.loads(line), **emptied} for line in lines]
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
        folder = str(path.parents[1])
        integrity.write_manifest(folder, manifest.read(folder))
        return model

    return make


@pytest.fixture(scope="module")
def judges(tiny_log):
    """The windows of users who judge: five beside each of the log."""
    return [
        dataclasses.replace(window, user_id=window.user_id + b"-judge-%d" % number)
        for window in tiny_log.train
        for number in range(5)
    ]
