"""What a Kubeflow container starts: one executor, through TFX's own entry point.

TFX's entry point expects what Vertex AI Pipelines passes. This one gives it that:
the artifacts' types, which the open-source backend leaves out; the classes of Heed's
own types; the paths of the image; and no optional input that is not there. Afterwards
it copies the step's reports, and fails the step if the gate refused the model.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.resources
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.runners import kubeflow_spec
from schema import errors

_EXIT_BAD_INPUT, _EXIT_REFUSED = 2, 3


def complete(
    executor_input: Mapping[str, Any], component: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the executor's input as TFX's entry point wants it.

    Args:
      executor_input: what the backend put in place of `{{$}}`.
      component: `inputDefinitions` and `outputDefinitions` of the component.

    Raises:
      InputError: the pipeline's parameter `root` is missing, or a packaged file
        differs from the one that the pipeline was compiled with.
    """
    content: dict[str, Any] = json.loads(json.dumps(executor_input))
    inputs = content.setdefault("inputs", {})
    parameters = inputs.setdefault("parameterValues", {})
    root = parameters.pop(kubeflow_spec.ROOT_PARAMETER, "")
    for key, value in parameters.items():
        if isinstance(value, str):
            parameters[key] = _resolve(value, root)
    artifacts = inputs.get("artifacts", {})
    for key in [key for key, found in artifacts.items() if _is_absent(found)]:
        del artifacts[key]
    for side, definitions in (
        (inputs, component.get("inputDefinitions", {})),
        (content.get("outputs", {}), component.get("outputDefinitions", {})),
    ):
        for key, definition in definitions.get("artifacts", {}).items():
            for artifact in side.get("artifacts", {}).get(key, {}).get("artifacts", []):
                artifact["type"] = definition["artifactType"]
    return content


def root_of(executor_input: Mapping[str, Any]) -> str:
    """Returns the pipeline's parameter `root`; empty: none was passed."""
    parameters = executor_input.get("inputs", {}).get("parameterValues", {})
    return str(parameters.get(kubeflow_spec.ROOT_PARAMETER, "")).rstrip("/")


def is_refused(executor_output: Mapping[str, Any]) -> bool:
    """Returns whether this is the output of a Pusher that pushed nothing."""
    for artifact in (
        executor_output.get("artifacts", {})
        .get("pushed_model", {})
        .get("artifacts", [])
    ):
        return int(artifact.get("metadata", {}).get("pushed", 0)) != 1
    return False


def _is_absent(found: Mapping[str, Any]) -> bool:
    artifacts = found.get("artifacts", [])
    return not artifacts or bool(
        artifacts[0].get("metadata", {}).get(kubeflow_spec.ABSENT)
    )


def _resolve(value: str, root: str) -> str:
    if kubeflow_spec.ROOT_MARK in value:
        if not root:
            raise errors.InputError(
                f"the pipeline's parameter `{kubeflow_spec.ROOT_PARAMETER}` is empty; "
                "expected a URI below which models are pushed, such as gs://bucket/heed"
            )
        return value.replace(kubeflow_spec.ROOT_MARK, root.rstrip("/"))
    if value.startswith(kubeflow_spec.PACKAGED_MARK):
        return _packaged_file(value.removeprefix(kubeflow_spec.PACKAGED_MARK))
    return value


def _packaged_file(name: str) -> str:
    """Returns the path in this image of `PACKAGE/FILE@SHA256`."""
    file, _, expected = name.partition("@")
    package, _, base = file.partition("/")
    path = importlib.resources.files(package) / base
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise errors.InputError(
            f"{file} in this image differs from the one that the pipeline was compiled "
            "with; build the image and compile the pipeline from the same version"
        )
    return str(path)


def _parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--task", required=True)
    parser.add_argument("--component", required=True, type=json.loads)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument(
        "--json_serialized_invocation_args", required=True, type=json.loads
    )
    # What is left are Beam's arguments.
    return parser.parse_known_args(argv)


def run(argv: Sequence[str]) -> bool:
    """Runs the executor; returns whether its model was refused.

    Raises:
      InputError: see `complete`.
      Exception: whatever the executor raised.
    """
    arguments, beam_args = _parse(argv)
    given = arguments.json_serialized_invocation_args
    executor_input = complete(given, arguments.component)

    from tfx.orchestration.kubeflow.v2 import compiler_utils
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    from pipeline.runners import kubeflow_artifacts

    compiler_utils.TITLE_TO_CLASS_PATH.update(kubeflow_artifacts.class_paths())
    _remove_reports(arguments.task, root_of(given))
    try:
        kubeflow_v2_run_executor.main(
            (
                argparse.Namespace(
                    executor_class_path=arguments.executor_class_path,
                    json_serialized_invocation_args=json.dumps(executor_input),
                    json_serialized_inputs_spec_args=json.dumps(
                        arguments.component.get("inputDefinitions", {})
                    ),
                ),
                beam_args,
            )
        )
    finally:
        _publish_reports(arguments.task, executor_input, root_of(given))
    with open(executor_input["outputs"]["outputFile"], encoding="utf-8") as file:
        return is_refused(json.load(file))


def _remove_reports(task: str, root: str) -> None:
    """Removes the step's reports of earlier runs: they must not pass for this one's."""
    from tfx.dsl.io import fileio

    from pipeline.runners import reports

    for file in reports.REPORTS.get(task, ("", ()))[1] if root else ():
        path = os.path.join(root, "reports", file)
        if fileio.exists(path):
            fileio.remove(path)


def _publish_reports(task: str, executor_input: Mapping[str, Any], root: str) -> None:
    """Copies the reports that are there; a failed step may have written some."""
    from tfx.dsl.io import fileio

    from pipeline.runners import reports

    if task not in reports.REPORTS or not root:
        return
    key, files = reports.REPORTS[task]
    outputs = executor_input["outputs"]["artifacts"][key]["artifacts"]
    folder = os.path.join(root, "reports")
    for file in files:
        source = os.path.join(outputs[0]["uri"], file)
        if fileio.exists(source):
            fileio.makedirs(folder)
            fileio.copy(source, os.path.join(folder, file), overwrite=True)


def main() -> None:
    """Runs the step and ends the process as `heed` would."""
    try:
        refused = run(sys.argv[1:])
    except errors.InputError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(_EXIT_BAD_INPUT)
    if refused:
        sys.stderr.write("refused by the promotion gate; nothing was pushed\n")
        sys.exit(_EXIT_REFUSED)


if __name__ == "__main__":
    main()
