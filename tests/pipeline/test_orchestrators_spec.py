"""The Kubeflow specification as tables: needs neither kfp nor TFX."""

import copy
import hashlib
import importlib.resources
import importlib.util
import json

import pytest

from pipeline import config
from pipeline.runners import kubeflow, kubeflow_spec, kubeflow_step
from schema import errors

NODES = ["Gen", "Baseline", "Builder", "Evaluation", "Pusher"]
MODEL = {"artifactType": {"instanceSchema": "title: tfx.Model\ntype: object\n"}}
STRING = {"parameterType": "STRING"}


def container(name):
    return {
        "container": {
            "image": "image:1",
            "command": ["python", "-m", "tfx.entry_point"],
            "args": [
                "--executor_class_path",
                f"components.{name}.Executor",
                "--json_serialized_invocation_args",
                "{{$}}",
                "--json_serialized_inputs_spec_args",
                "{}",
                "--runner=FnApiRunner",
            ],
        }
    }


def of(producer, key="model"):
    return {"taskOutputArtifact": {"producerTask": producer, "outputArtifactKey": key}}


def constant(value):
    return {"runtimeValue": {"constant": value}}


def task(name, artifacts=None, parameters=None, after=()):
    inputs = {"artifacts": artifacts or {}, "parameters": parameters or {}}
    return {
        "taskInfo": {"name": name},
        "componentRef": {"name": name},
        "cachingOptions": {"enableCache": True},
        "inputs": inputs,
        "dependentTasks": list(after),
    }


@pytest.fixture
def written():
    """What TFX writes: an ExampleGen, a resolver in two tasks, steps that use it."""
    resolver, blessing = "Baseline-model-resolver", "Baseline-model-blessing-resolver"
    containers = {name: container(name) for name in ("Builder", "Evaluation", "Pusher")}
    gen = container("Gen")
    gen["container"]["lifecycle"] = {"preCacheCheck": {"command": ["driver"]}}
    return {
        "pipelineInfo": {"name": "heed"},
        "schemaVersion": "2.1.0",
        "components": {
            "Gen": {
                "executorLabel": "Gen_executor",
                "inputDefinitions": {
                    "parameters": {
                        "input_base": STRING,
                        "input_config": STRING,
                        "schema_file": STRING,
                    }
                },
            },
            blessing: {"executorLabel": f"{blessing}_executor"},
            resolver: {
                "executorLabel": f"{resolver}_executor",
                "outputDefinitions": {"artifacts": {"model": MODEL}},
            },
            "Builder": {
                "executorLabel": "Builder_executor",
                "outputDefinitions": {"artifacts": {"model": MODEL}},
            },
            "Evaluation": {
                "executorLabel": "Evaluation_executor",
                "inputDefinitions": {"artifacts": {"model": MODEL, "baseline": MODEL}},
            },
            "Pusher": {
                "executorLabel": "Pusher_executor",
                "inputDefinitions": {"artifacts": {"model": MODEL}},
            },
        },
        "deploymentSpec": {
            "executors": {
                "Gen_executor": gen,
                f"{blessing}_executor": {"resolver": {}},
                f"{resolver}_executor": {"resolver": {}},
                **{f"{name}_executor": c for name, c in containers.items()},
            }
        },
        "root": {
            "dag": {
                "tasks": {
                    "Pusher": task(
                        "Pusher", {"model": of("Builder")}, after=["Builder"]
                    ),
                    "Evaluation": task(
                        "Evaluation",
                        {"model": of("Builder"), "baseline": of(resolver)},
                        after=["Builder", resolver],
                    ),
                    "Builder": task("Builder", after=["Gen"]),
                    resolver: task(resolver, {"input": of(blessing, "b")}),
                    blessing: task(blessing),
                    "Gen": task(
                        "Gen",
                        parameters={
                            "input_base": constant("gs://b/events"),
                            "input_config": constant("span-{SPAN}/*"),
                            "schema_file": constant("/home/me/heed/schema/x.pbtxt"),
                        },
                    ),
                }
            }
        },
    }


def adapt(spec, root="gs://b/heed"):
    return kubeflow_spec.adapt(
        spec,
        nodes=NODES,
        image="image:1",
        root=root,
        packaged_files={"/home/me/heed/schema/x.pbtxt": "abc"},
    )


def test_tasks_come_in_the_order_of_the_flow(written):
    tasks = list(adapt(written)["root"]["dag"]["tasks"])
    assert tasks == [
        "Gen-source",
        "Gen",
        "Builder",
        "Pusher",
        "LastPushedModel",
        "Evaluation",
    ]


def test_what_tfx_wrote_is_left_alone(written):
    before = copy.deepcopy(written)
    adapt(written)
    assert written == before


def test_nothing_is_left_that_the_backend_refuses_or_ignores(written):
    text = json.dumps(adapt(written))
    assert "resolver" not in text
    assert "lifecycle" not in text


def test_source_task_takes_the_drivers_place(written):
    spec = adapt(written)
    source = spec["root"]["dag"]["tasks"]["Gen-source"]
    assert source["cachingOptions"] == {"enableCache": False}
    assert source["inputs"]["parameters"] == {
        "input_base": constant("gs://b/events"),
        "input_config": constant("span-{SPAN}/*"),
    }
    gen = spec["root"]["dag"]["tasks"]["Gen"]
    assert gen["cachingOptions"] == {"enableCache": True}
    assert gen["dependentTasks"] == ["Gen-source"]
    for key in ("input_config", "input_fingerprint"):
        assert gen["inputs"]["parameters"][key] == {
            "taskOutputParameter": {
                "producerTask": "Gen-source",
                "outputParameterKey": key,
            }
        }
        definitions = spec["components"]["Gen"]["inputDefinitions"]["parameters"]
        assert definitions[key] == STRING


def test_baseline_is_the_last_pushed_model(written):
    spec = adapt(written)
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks["Evaluation"]["inputs"]["artifacts"] == {
        "model": of("Builder"),
        "baseline": of("LastPushedModel"),
    }
    assert tasks["Evaluation"]["dependentTasks"] == ["Builder", "LastPushedModel"]
    baseline = tasks["LastPushedModel"]
    assert baseline["cachingOptions"] == {"enableCache": False}
    assert baseline["inputs"]["artifacts"] == {"candidate": of("Builder")}
    assert baseline["inputs"]["parameters"]["serving_models"] == constant(
        "heed-root:/serving_models/heed"
    )


def test_files_of_the_package_are_named_without_a_path(written):
    spec = adapt(written)
    parameters = spec["root"]["dag"]["tasks"]["Gen"]["inputs"]["parameters"]
    assert parameters["schema_file"] == constant("packaged:schema/x.pbtxt@abc")
    assert "/home/me" not in json.dumps(spec)


def test_every_container_starts_our_entry_point_with_its_component(written):
    spec = adapt(written)
    executors = spec["deploymentSpec"]["executors"]
    evaluation = executors["Evaluation_executor"]["container"]
    assert evaluation["command"] == ["python", "-m", "pipeline.runners.kubeflow_step"]
    task_flag, name, component_flag, component, *others = evaluation["args"]
    assert (task_flag, name, component_flag) == (
        "--task",
        "Evaluation",
        "--component",
    )
    assert json.loads(component)["inputDefinitions"] == {
        "artifacts": {"model": MODEL, "baseline": MODEL},
        "parameters": {"root": STRING},
    }
    assert others == [
        "--executor_class_path",
        "components.Evaluation.Executor",
        "--json_serialized_invocation_args",
        "{{$}}",
        "--runner=FnApiRunner",
    ]
    for executor in executors.values():
        names = {e["name"]: e["value"] for e in executor["container"]["env"]}
        assert names["TF_USE_LEGACY_KERAS"] == "1"


def test_root_is_a_parameter_of_the_pipeline(written):
    spec = adapt(written)
    assert spec["defaultPipelineRoot"] == "gs://b/heed/artifacts"
    assert spec["root"]["inputDefinitions"]["parameters"] == {
        "root": {"parameterType": "STRING", "defaultValue": "gs://b/heed"}
    }


def test_without_a_root_each_run_must_give_one(written):
    spec = adapt(written, root="")
    assert "defaultPipelineRoot" not in spec
    assert spec["root"]["inputDefinitions"]["parameters"] == {"root": STRING}


def test_order_of_the_tables_does_not_matter(written):
    turned = copy.deepcopy(written)
    tasks = turned["root"]["dag"]["tasks"]
    turned["root"]["dag"]["tasks"] = dict(reversed(tasks.items()))
    assert json.dumps(adapt(turned)) == json.dumps(adapt(written))


def executor_input(**parameters):
    return {
        "inputs": {
            "parameterValues": parameters,
            "artifacts": {
                "model": {"artifacts": [{"name": "7", "uri": "gs://b/1"}]},
                "baseline": {
                    "artifacts": [{"uri": "gs://b/2", "metadata": {"absent": 1.0}}]
                },
            },
        },
        "outputs": {"artifacts": {"out": {"artifacts": [{"uri": "gs://b/3"}]}}},
    }


def test_step_gives_artifacts_their_types_and_drops_the_absent():
    component = {
        "inputDefinitions": {"artifacts": {"model": MODEL, "baseline": MODEL}},
        "outputDefinitions": {"artifacts": {"out": MODEL}},
    }
    done = kubeflow_step.complete(executor_input(), component)
    typed = {"instanceSchema": "title: tfx.Model\ntype: object\n"}
    assert done["inputs"]["artifacts"] == {
        "model": {"artifacts": [{"name": "7", "uri": "gs://b/1", "type": typed}]}
    }
    assert done["outputs"]["artifacts"]["out"]["artifacts"][0]["type"] == typed


def test_present_baseline_stays():
    given = executor_input()
    given["inputs"]["artifacts"]["baseline"]["artifacts"][0]["metadata"]["absent"] = 0
    done = kubeflow_step.complete(given, {})
    assert set(done["inputs"]["artifacts"]) == {"model", "baseline"}


def test_root_replaces_its_mark():
    given = executor_input(
        root="gs://b/heed/", push='{"base_directory": "heed-root:/serving_models/heed"}'
    )
    done = kubeflow_step.complete(given, {})
    assert done["inputs"]["parameterValues"] == {
        "push": '{"base_directory": "gs://b/heed/serving_models/heed"}'
    }
    assert kubeflow_step.root_of(given) == "gs://b/heed"


def test_missing_root_is_named():
    with pytest.raises(errors.InputError, match="parameter `root` is empty"):
        kubeflow_step.complete(executor_input(root="", push="heed-root:/x"), {})


def test_packaged_file_is_found_where_the_package_lies():
    file = importlib.resources.files("schema") / "events_schema.pbtxt"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    name = f"packaged:schema/events_schema.pbtxt@{digest}"
    done = kubeflow_step.complete(executor_input(schema_file=name), {})
    assert done["inputs"]["parameterValues"]["schema_file"] == str(file)


def test_packaged_file_of_another_version_is_refused():
    name = "packaged:schema/events_schema.pbtxt@" + "0" * 64
    with pytest.raises(errors.InputError, match=r"events_schema\.pbtxt in this image"):
        kubeflow_step.complete(executor_input(schema_file=name), {})


@pytest.mark.parametrize(
    ("output", "refused"),
    [
        ({}, False),
        ({"artifacts": {"examples": {"artifacts": [{"uri": "x"}]}}}, False),
        ({"artifacts": {"pushed_model": {"artifacts": [{"metadata": {}}]}}}, True),
        (
            {
                "artifacts": {
                    "pushed_model": {"artifacts": [{"metadata": {"pushed": 0.0}}]}
                }
            },
            True,
        ),
        (
            {
                "artifacts": {
                    "pushed_model": {"artifacts": [{"metadata": {"pushed": 1.0}}]}
                }
            },
            False,
        ),
    ],
)
def test_only_a_pusher_that_pushed_nothing_is_a_refusal(output, refused):
    assert kubeflow_step.is_refused(output) is refused


@pytest.mark.skipif(
    importlib.util.find_spec("kfp") is not None, reason="kfp is installed here"
)
def test_without_kfp_the_remedy_is_named(tmp_path):
    resolved = config.load("kubeflow")
    with pytest.raises(errors.InputError, match="make setup-orchestrators"):
        kubeflow.compile_to_file(
            resolved.config, "gs://bucket/heed", tmp_path / "heed.yaml"
        )
    assert not (tmp_path / "heed.yaml").exists()


@pytest.mark.parametrize(
    ("overrides", "root", "message"),
    [
        ([], "/data/heed", "`--root` = /data/heed: pods share no disk"),
        (["data.events="], "gs://b/heed", "`data.events` names no event log"),
        (["pipeline.name=My_Heed"], "gs://b/heed", "`pipeline.name` = 'My_Heed'"),
        (["train.warm_start=true"], "gs://b/heed", "`train.warm_start`: Kubeflow"),
    ],
)
def test_bad_input_is_named_before_anything_heavy(tmp_path, overrides, root, message):
    resolved = config.load("kubeflow", overrides)
    with pytest.raises(errors.InputError) as caught:
        kubeflow.compile_to_file(resolved.config, root, tmp_path / "heed.yaml")
    assert message in str(caught.value)


def test_notes_name_local_data_and_the_missing_root():
    resolved = config.load("kubeflow", ["data.items=items.csv"])
    first, second = kubeflow.notes(resolved.config, "")
    assert "`root`" in first
    assert "`data.items` = items.csv" in second
    assert kubeflow.notes(config.load("kubeflow").config, "gs://b/heed") == []
