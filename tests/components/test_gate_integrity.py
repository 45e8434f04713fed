"""Files and reports that were changed behind the gate's back, on a real model."""

import os
import shutil

import pytest
from tfx.types import standard_artifacts

from components import artifacts
from components.index_builder import build
from components.promotion_gate import config as gate_config
from components.promotion_gate import executor
from components.pusher import executor as pusher
from schema import reports
from serving.bundle import manifest, versions
from tests.components import fake_artifacts, planted_world
from tests.components.planted_towers import Towers, embeddings

KINDS = {
    "evaluation": (standard_artifacts.ModelEvaluation, reports.EVALUATION_FILE),
    "responsiveness": (artifacts.ResponsivenessReport, reports.RESPONSIVENESS_FILE),
    "serving_check": (standard_artifacts.InfraBlessing, reports.SERVING_CHECK_FILE),
    "event_anomalies": (artifacts.AnomalyReport, reports.ANOMALIES_FILE),
    "catalog_anomalies": (artifacts.AnomalyReport, reports.ANOMALIES_FILE),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return planted_world.World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def sound(world):
    """The folder of a good model, and what the gate is shown of it."""
    folder = world.build(Towers())
    return folder, world.evidence(folder)


@pytest.fixture
def ask(world, tmp_path):
    """Runs the gate's executor; returns the rules that failed, by name."""

    def run(folder, evidence):
        inputs = {}
        for name, (kind, file) in KINDS.items():
            artifact = fake_artifacts.make(kind, tmp_path / name)
            artifacts.write_report(artifact, file, getattr(evidence, name))
            inputs[name] = [artifact]
        inputs["infra_blessing"] = inputs.pop("serving_check")
        return decide(folder, inputs), inputs

    def decide(folder, inputs):
        examples = fake_artifacts.make(
            standard_artifacts.Examples, os.path.join(world.root, "examples")
        )
        model = fake_artifacts.make(standard_artifacts.Model, folder)
        outputs = {
            "blessing": [
                fake_artifacts.make(standard_artifacts.ModelBlessing, tmp_path / "b")
            ],
            "promotion": [
                fake_artifacts.make(artifacts.PromotionReport, tmp_path / "p")
            ],
        }
        config = gate_config.GateConfig(
            gate=planted_world.POLICY, explicit_actions=("dislike",), has_judge=True
        )
        executor.Executor().Do(
            {"model": [model], "examples": [examples], **inputs},
            outputs,
            {"gate_config": config.to_json()},
        )
        blessed = outputs["blessing"][0].get_int_custom_property("blessed")
        promotion = fake_artifacts.read_json(outputs["promotion"][0], "promotion.json")
        failed = {r["name"]: r for r in promotion["rules"] if not r["passed"]}
        assert bool(blessed) == (not failed)
        return failed

    run.again = decide
    return run


def flip(path):
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))


def test_sound_model_with_its_own_reports_is_blessed(sound, ask):
    failed, _ = ask(*sound)

    assert failed == {}


@pytest.mark.parametrize(
    "file",
    ["variables/variables.data-00000-of-00001", "assets.extra/catalog.jsonl"],
)
def test_bit_that_flips_between_the_reports_and_the_gate(sound, ask, tmp_path, file):
    folder, evidence = sound
    damaged = shutil.copytree(folder, tmp_path / "model")
    flip(damaged / "Format-Serving" / file)

    failed, _ = ask(str(damaged), evidence)

    assert (
        f"{file} is not the file that was exported"
        in (failed["model_files"]["observed"])
    )


def test_evaluation_of_another_model(sound, world, ask):
    """Its reports say so; and they do when somebody has corrected the id."""
    _, evidence = sound
    other = world.build(Towers(candidate=embeddings(seed=9)))

    failed, inputs = ask(other, evidence)
    assert "evaluation_is_of_this_model" in failed
    named = evidence.evaluation.model_copy(
        update={"model_id": manifest.model_id(os.path.join(other, "Format-Serving"))}
    )
    artifacts.write_report(inputs["evaluation"][0], reports.EVALUATION_FILE, named)

    failed = ask.again(other, inputs)

    assert "evaluation_is_of_this_model" not in failed
    assert "other files" in failed["evaluation_is_of_these_files"]["hint"]


def test_same_model_in_another_build(sound, world, ask):
    """It has the same id; its bytes were never measured."""
    _, evidence = sound
    again = world.build(Towers())

    failed, _ = ask(again, evidence)

    assert set(failed) == {
        "evaluation_is_of_these_files",
        "responsiveness_is_of_these_files",
        "serving_check_is_of_these_files",
    }


def test_figure_that_was_mended_by_hand(sound, ask):
    folder, evidence = sound
    _, inputs = ask(folder, evidence)
    path = os.path.join(inputs["evaluation"][0].uri, reports.EVALUATION_FILE)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    value = evidence.evaluation.metrics["recall@10"].value
    assert str(value) in text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(str(value), str(value + 0.001)))

    failed = ask.again(folder, inputs)

    assert "edited after it was written" in failed["evaluation_is_valid"]["observed"]


# --- an endpoint that answers otherwise, with the same weights ----------------------


def push(folder, served):
    return pusher.push(os.path.join(folder, "Format-Serving"), str(served))


def test_model_that_is_built_once_more_is_served_already(sound, world, tmp_path):
    first = push(sound[0], tmp_path / "served")

    assert push(world.build(Towers()), tmp_path / "served") == first


def test_edited_endpoint_with_the_same_weights_is_deployed(
    sound, world, tmp_path, monkeypatch
):
    class Edited(build.endpoint.RetrievalEndpoint):
        def _answer(self, score, row, k, width):
            return super()._answer(score - 1.0, row, k, width)

    push(sound[0], tmp_path / "served")
    monkeypatch.setattr(build.endpoint, "RetrievalEndpoint", Edited)

    push(world.build(Towers()), tmp_path / "served")

    assert len(versions.numbers(str(tmp_path / "served"))) == 2
