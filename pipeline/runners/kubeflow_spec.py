"""Turns the specification that TFX writes into one that Kubeflow Pipelines can run.

TFX writes for Vertex AI Pipelines. The open-source backend refuses resolver tasks,
never calls the driver hook of an ExampleGen, and passes artifacts without their type.
Everything here is a function of plain tables; the containers' side of it is in
`kubeflow_step` and `kubeflow_tasks`.
"""

from __future__ import annotations

import copy
import graphlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

STEP_COMMAND = ("python", "-m", "pipeline.runners.kubeflow_step")
TASK_COMMAND = ("python", "-m", "pipeline.runners.kubeflow_tasks")
BASELINE_TASK = "LastPushedModel"
SOURCE_SUFFIX = "-source"
ROOT_PARAMETER = "root"
"""Pipeline parameter: URI below which models are pushed and reports are copied."""
ROOT_MARK = "heed-root:"
"""Stands for the root's value until a container starts."""
PACKAGED_MARK = "packaged:"
"""Starts the name of a file that is part of the image's installed package."""
ABSENT = "absent"
"""Metadata of an artifact that stands for an optional input that is not there."""

_MODEL_RESOLVER = "-model-resolver"
_BLESSING_RESOLVER = "-model-blessing-resolver"
_STRING = {"parameterType": "STRING"}
_ENVIRONMENT = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}


def adapt(
    pipeline_spec: Mapping[str, Any],
    *,
    nodes: Sequence[str],
    image: str,
    root: str,
    packaged_files: Mapping[str, str],
) -> dict[str, Any]:
    """Returns the specification for the open-source backend and for Vertex AI alike.

    Args:
      pipeline_spec: the PipelineSpec (version 2.1) that TFX wrote, as tables.
      nodes: ids of the pipeline's nodes, in topological order.
      image: container image of all tasks.
      root: URI that the parameter `root` defaults to; empty: it must be given with
        each run, and the artifacts lie in the cluster's own pipeline root.
      packaged_files: path on this machine to the SHA-256 of the file's bytes, for
        files that the image's installed package holds as well.
    """
    spec: dict[str, Any] = copy.deepcopy(dict(pipeline_spec))
    _replace_resolver(spec, image)
    for node in nodes:
        if node in spec["components"] and _pop_driver_hook(spec, node):
            _add_source_task(spec, node, image)
    for name in _tasks(spec):
        _name_packaged_files(spec, name, packaged_files)
        container = _container(spec, name)
        if "--executor_class_path" in container["args"]:
            _use_own_entry_point(spec, name)
        container["env"] = [
            {"name": key, "value": value} for key, value in _ENVIRONMENT.items()
        ]
    definition: dict[str, Any] = dict(_STRING)
    if root:
        definition["defaultValue"] = root
        spec["defaultPipelineRoot"] = posixpath.join(root, "artifacts")
    spec["root"]["inputDefinitions"] = {"parameters": {ROOT_PARAMETER: definition}}
    return _ordered(spec, nodes)


def task_order(spec: Mapping[str, Any], nodes: Sequence[str]) -> list[str]:
    """Returns the tasks so that each comes after those that it depends on.

    Among several that might be next, the one that the pipeline names first is taken;
    a source task comes right before the node that it serves.
    """
    tasks = spec["root"]["dag"]["tasks"]
    place = {node: i for i, node in enumerate(nodes)}

    def rank(name: str) -> tuple[int, bool, str]:
        served = name.removesuffix(SOURCE_SUFFIX)
        return place.get(served, len(place)), served == name, name

    sorter = graphlib.TopologicalSorter(
        {name: upstream_tasks(task) for name, task in tasks.items()}
    )
    sorter.prepare()
    ready: list[str] = []
    order: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=rank)
        order.append(ready.pop(0))
        sorter.done(order[-1])
    return order


def upstream_tasks(task: Mapping[str, Any]) -> set[str]:
    """Returns the tasks that must have finished before this one."""
    inputs = task.get("inputs", {})
    found = set(task.get("dependentTasks", ()))
    for kind, key in (
        ("artifacts", "taskOutputArtifact"),
        ("parameters", "taskOutputParameter"),
    ):
        for source in inputs.get(kind, {}).values():
            if key in source:
                found.add(source[key]["producerTask"])
    return found


def _tasks(spec: dict[str, Any]) -> dict[str, Any]:
    return dict(spec["root"]["dag"]["tasks"])


def _container(spec: dict[str, Any], name: str) -> dict[str, Any]:
    label = spec["components"][name]["executorLabel"]
    container: dict[str, Any] = spec["deploymentSpec"]["executors"][label]["container"]
    return container


def _pop_driver_hook(spec: dict[str, Any], node: str) -> bool:
    label = spec["components"][node]["executorLabel"]
    executor = spec["deploymentSpec"]["executors"][label]
    return executor.get("container", {}).pop("lifecycle", None) is not None


def _add_task(
    spec: dict[str, Any],
    name: str,
    component: dict[str, Any],
    task: dict[str, Any],
    container: dict[str, Any],
) -> None:
    """Adds a task that looks at the world outside, which no cache may answer."""
    label = f"{name}_executor"
    spec["components"][name] = {**component, "executorLabel": label}
    spec["deploymentSpec"]["executors"][label] = {"container": container}
    spec["root"]["dag"]["tasks"][name] = {
        **task,
        "taskInfo": {"name": name},
        "componentRef": {"name": name},
        "cachingOptions": {"enableCache": False},
    }


def _add_source_task(spec: dict[str, Any], node: str, image: str) -> None:
    """Puts a task before an ExampleGen that does what its driver would do.

    It chooses the span and takes the fingerprint of its files. The fingerprint is a
    parameter of the ExampleGen and so a part of its cache key.
    """
    task = spec["root"]["dag"]["tasks"][node]
    parameters = task["inputs"]["parameters"]
    given = {
        key: parameters[key]
        for key in ("input_base", "input_config", "range_config")
        if key in parameters
    }
    name = node + SOURCE_SUFFIX
    outputs = ("input_config", "input_fingerprint")
    _add_task(
        spec,
        name,
        {
            "inputDefinitions": {"parameters": {key: _STRING for key in given}},
            "outputDefinitions": {"parameters": {key: _STRING for key in outputs}},
        },
        {"inputs": {"parameters": given}},
        {
            "image": image,
            "command": list(TASK_COMMAND),
            "args": ["source", "--executor-input", "{{$}}"],
        },
    )
    definitions = spec["components"][node]["inputDefinitions"]["parameters"]
    for key in outputs:
        definitions[key] = dict(_STRING)
        parameters[key] = {
            "taskOutputParameter": {"producerTask": name, "outputParameterKey": key}
        }
    task["dependentTasks"] = sorted({*task.get("dependentTasks", ()), name})


def _replace_resolver(spec: dict[str, Any], image: str) -> None:
    """Looks for the baseline among the pushed versions instead of in metadata."""
    tasks = spec["root"]["dag"]["tasks"]
    resolvers = [name for name in tasks if name.endswith(_MODEL_RESOLVER)]
    for name in resolvers:
        node = name.removesuffix(_MODEL_RESOLVER)
        users = {
            user: key
            for user, task in tasks.items()
            for key, source in task.get("inputs", {}).get("artifacts", {}).items()
            if source["taskOutputArtifact"]["producerTask"] == name
        }
        output = spec["components"][name]["outputDefinitions"]
        for gone in (name, node + _BLESSING_RESOLVER):
            label = spec["components"].pop(gone)["executorLabel"]
            del spec["deploymentSpec"]["executors"][label]
            del tasks[gone]
        candidate = tasks["Pusher"]["inputs"]["artifacts"]["model"]
        _add_task(
            spec,
            BASELINE_TASK,
            {
                "inputDefinitions": {
                    "artifacts": {"candidate": output["artifacts"]["model"]},
                    "parameters": {"serving_models": _STRING, ROOT_PARAMETER: _STRING},
                },
                "outputDefinitions": output,
            },
            {
                "inputs": {
                    "artifacts": {"candidate": candidate},
                    "parameters": {
                        "serving_models": _constant(
                            f"{ROOT_MARK}/serving_models/{spec['pipelineInfo']['name']}"
                        ),
                        ROOT_PARAMETER: {"componentInputParameter": ROOT_PARAMETER},
                    },
                },
                "dependentTasks": [candidate["taskOutputArtifact"]["producerTask"]],
            },
            {
                "image": image,
                "command": list(TASK_COMMAND),
                "args": ["baseline", "--executor-input", "{{$}}"],
            },
        )
        for user, key in users.items():
            source = tasks[user]["inputs"]["artifacts"][key]["taskOutputArtifact"]
            source["producerTask"] = BASELINE_TASK
            before = set(tasks[user]["dependentTasks"]) - {name}
            tasks[user]["dependentTasks"] = sorted({*before, BASELINE_TASK})


def _name_packaged_files(
    spec: dict[str, Any], name: str, packaged_files: Mapping[str, str]
) -> None:
    """Names files of the package by name and digest instead of by a local path."""
    parameters = _tasks(spec)[name].get("inputs", {}).get("parameters", {})
    for key, value in parameters.items():
        path = value.get("runtimeValue", {}).get("constant")
        if path in packaged_files:
            file = "/".join(posixpath.normpath(path).split("/")[-2:])
            parameters[key] = _constant(f"{PACKAGED_MARK}{file}@{packaged_files[path]}")


def _use_own_entry_point(spec: dict[str, Any], name: str) -> None:
    """Starts the executor through `kubeflow_step`, which knows the component."""
    component = spec["components"][name]
    inputs = component.setdefault("inputDefinitions", {})
    inputs.setdefault("parameters", {})[ROOT_PARAMETER] = dict(_STRING)
    task = spec["root"]["dag"]["tasks"][name]
    parameters = task.setdefault("inputs", {}).setdefault("parameters", {})
    parameters[ROOT_PARAMETER] = {"componentInputParameter": ROOT_PARAMETER}
    container = _container(spec, name)
    container["command"] = list(STEP_COMMAND)
    arguments = list(container["args"])
    # TFX wrote its own copy before the parameters above were added.
    position = arguments.index("--json_serialized_inputs_spec_args")
    del arguments[position : position + 2]
    definitions = {
        key: component[key]
        for key in ("inputDefinitions", "outputDefinitions")
        if key in component
    }
    container["args"] = [
        "--task",
        name,
        "--component",
        json.dumps(definitions, sort_keys=True),
        *arguments,
    ]


def _constant(value: str) -> dict[str, Any]:
    return {"runtimeValue": {"constant": value}}


def _ordered(spec: dict[str, Any], nodes: Sequence[str]) -> dict[str, Any]:
    """Returns the same content in an order that does not change between runs.

    It came from protocol buffer maps, whose order does.
    """
    ordered: dict[str, Any] = json.loads(json.dumps(spec, sort_keys=True))
    tasks = ordered["root"]["dag"]["tasks"]
    ordered["root"]["dag"]["tasks"] = {
        name: tasks[name] for name in task_order(ordered, nodes)
    }
    return ordered
