"""The specification as kfp reads it, and run step by step without a cluster."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

from tests.pipeline import orchestrators_backend

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("kfp") is None,
        reason="kfp is not installed here; `make airflow-test` has it",
    ),
]

REPOSITORY = pathlib.Path(__file__).parents[2]
# Each comes after all that it reads; the drawing in the design is the oracle.
ORDER = [
    ("EventExampleGen-source", "EventExampleGen"),
    ("EventExampleGen", "EventStatistics"),
    ("EventStatistics", "EventValidator"),
    ("EventSchema", "EventValidator"),
    ("EventValidator", "EventAnomalyCheck"),
    ("EventAnomalyCheck", "EventTransform"),
    ("ItemCatalogGen-source", "ItemCatalogGen"),
    ("ItemCatalogGen", "CatalogStatistics"),
    ("CatalogStatistics", "CatalogValidator"),
    ("CatalogSchema", "CatalogValidator"),
    ("CatalogValidator", "CatalogAnomalyCheck"),
    ("CatalogAnomalyCheck", "CatalogTransform"),
    ("EventTransform", "Trainer"),
    ("CatalogTransform", "Trainer"),
    ("Trainer", "IndexBuilder"),
    ("IndexBuilder", "LastPushedModel"),
    ("LastPushedModel", "Evaluation"),
    ("IndexBuilder", "Evaluation"),
    ("IndexBuilder", "Responsiveness"),
    ("IndexBuilder", "ServingCheck"),
    ("Evaluation", "PromotionGate"),
    ("Responsiveness", "PromotionGate"),
    ("ServingCheck", "PromotionGate"),
    ("PromotionGate", "Pusher"),
]
UNCACHED = {"EventExampleGen-source", "ItemCatalogGen-source", "LastPushedModel"}


def compile_with(output, *options):
    command = [sys.executable, "-m", "pipeline.cli", "compile", "--runner", "kubeflow"]
    done = subprocess.run(
        [*command, "--output", str(output), *options],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    output = tmp_path_factory.mktemp("kubeflow") / "heed.yaml"
    compile_with(output, "--config", "kubeflow", "--root", "gs://bucket/heed")
    return output


@pytest.fixture(scope="module")
def spec(compiled):
    import yaml

    return yaml.safe_load(compiled.read_text())


def test_kfp_loads_it_back(compiled):
    from kfp import components

    loaded = components.load_component_from_file(str(compiled))
    assert loaded.pipeline_spec.pipeline_info.name == "heed"
    assert loaded.pipeline_spec.schema_version == "2.1.0"
    assert loaded.pipeline_spec.default_pipeline_root == "gs://bucket/heed/artifacts"
    assert list(loaded.component_spec.inputs) == ["root"]
    tasks = loaded.pipeline_spec.root.dag.tasks
    assert set(tasks) == {name for pair in ORDER for name in pair}
    for before, after in ORDER:
        assert before in tasks[after].dependent_tasks


def test_kfp_loads_the_json_form(tmp_path, spec):
    from kfp import components

    output = tmp_path / "heed.json"
    compile_with(output, "--config", "kubeflow", "--root", "gs://bucket/heed")
    # The same content in the same order, compiled by another process.
    assert output.read_text() == json.dumps(spec, indent=1)
    loaded = components.load_component_from_file(str(output))
    assert set(loaded.pipeline_spec.root.dag.tasks) == set(spec["root"]["dag"]["tasks"])


def test_tasks_are_written_in_the_order_of_the_flow(spec):
    place = {name: i for i, name in enumerate(spec["root"]["dag"]["tasks"])}
    assert set(place) == {name for pair in ORDER for name in pair}
    for before, after in ORDER:
        assert place[before] < place[after]


def test_nothing_is_a_path_of_this_machine(compiled):
    text = compiled.read_text()
    for path in (REPOSITORY, pathlib.Path(sys.prefix), compiled.parent):
        assert str(path) not in text


def test_only_what_looks_outside_is_never_cached(spec):
    tasks = spec["root"]["dag"]["tasks"]
    cached = {n for n, t in tasks.items() if t["cachingOptions"].get("enableCache")}
    assert set(tasks) - cached == UNCACHED


def test_every_task_runs_in_the_image_with_our_commands(spec):
    for executor in spec["deploymentSpec"]["executors"].values():
        container = executor["container"]
        assert container["image"] == "registry.example.com/heed:0.2.0"
        assert container["command"][:2] == ["python", "-m"]
        assert container["command"][2] in {
            "pipeline.runners.kubeflow_step",
            "pipeline.runners.kubeflow_tasks",
        }


@pytest.mark.e2e
def test_from_start_to_push_then_against_the_pushed_baseline(tmp_path):
    import yaml

    output = tmp_path / "heed.yaml"
    note = compile_with(output, "--config", "test").stderr
    assert "each run must set the pipeline's parameter `root`" in note
    spec = yaml.safe_load(output.read_text())
    root = tmp_path / "root"
    first = orchestrators_backend.Backend(spec, tmp_path / "1", {"root": str(root)})
    first.run_all()
    name = list(first.exit_codes)[-1]
    assert set(first.exit_codes.values()) == {0}, first.log(name)[-5_000:]
    assert name == "Pusher"
    (version,) = (root / "serving_models" / "heed").iterdir()
    assert (version / "saved_model.pb").is_file()
    reports = {path.name for path in (root / "reports").iterdir()}
    assert {
        "ingestion.json",
        "evaluation.json",
        "responsiveness.json",
        "promotion.json",
    } <= reports
    evaluation = json.loads((root / "reports/evaluation.json").read_text())
    assert "last_blessed" not in evaluation["baselines"]

    # Another candidate meets the pushed model, and a gate that nobody passes.
    second = orchestrators_backend.Backend(spec, tmp_path / "2", {"root": str(root)})
    second.outputs = {
        name: first.outputs[name]
        for name in first.outputs
        if name not in {"Trainer", "IndexBuilder", "LastPushedModel", "Evaluation"}
    }
    tasks = spec["root"]["dag"]["tasks"]
    custom = json.loads(constant_of(tasks["Trainer"], "custom_config"))
    training = json.loads(custom["config"])
    training["train"]["seed"] += 1
    custom["config"] = json.dumps(training)
    set_constant(tasks["Trainer"], "custom_config", json.dumps(custom))
    gate = json.loads(constant_of(tasks["PromotionGate"], "gate"))
    gate["min_recall_at_10"] = 1.0
    set_constant(tasks["PromotionGate"], "gate", json.dumps(gate))
    for name in (
        "Trainer",
        "IndexBuilder",
        "LastPushedModel",
        "Evaluation",
        "PromotionGate",
        "Pusher",
    ):
        second.run(name)
    assert second.exit_codes.pop("Pusher") == 3, second.log("Pusher")[-5_000:]
    assert set(second.exit_codes.values()) == {0}
    evaluation = json.loads((root / "reports/evaluation.json").read_text())
    promotion = json.loads((root / "reports/promotion.json").read_text())
    assert "last_blessed" in evaluation["baselines"]
    assert promotion["blessed"] is False
    assert list((root / "serving_models" / "heed").iterdir()) == [version]


def constant_of(task, key):
    return task["inputs"]["parameters"][key]["runtimeValue"]["constant"]


def set_constant(task, key, value):
    task["inputs"]["parameters"][key]["runtimeValue"]["constant"] = value
