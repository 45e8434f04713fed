"""Kubeflow tasks that have no executor: the source of an ExampleGen, the baseline.

Both look at what lies outside of the pipeline (the newest span, the newest pushed
version), so that the steps behind them can be cached and still never go stale.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from pipeline.runners import kubeflow_spec, kubeflow_step
from schema import errors

_EXIT_BAD_INPUT = 2


def source(executor_input: Mapping[str, Any]) -> dict[str, Any]:
    """Chooses the span of a source and takes its fingerprint.

    Args:
      executor_input: parameters `input_base` and `input_config`.

    Returns:
      The executor's output: `input_config` with the span filled in, and
      `input_fingerprint`, which changes with any of the files.

    Raises:
      InputError: no span, or no file, matches.
    """
    from components.ingestion import driver

    resolved = driver.SourceDriver(None).resolve_exec_properties(
        dict(executor_input["inputs"]["parameterValues"]), None, None
    )
    return {
        "parameterValues": {
            key: resolved[key] for key in ("input_config", "input_fingerprint")
        }
    }


def baseline(executor_input: Mapping[str, Any]) -> dict[str, Any]:
    """Copies the newest pushed version to the output, as a Model artifact.

    Where none was pushed, or the candidate is served already, the output is marked
    as absent, and the step that reads it gets no baseline.

    Args:
      executor_input: artifact `candidate`, parameters `serving_models` and `root`.

    Returns:
      The executor's output.
    """
    from tfx.utils import io_utils, path_utils

    from serving.bundle import manifest, versions

    content = kubeflow_step.complete(executor_input, {})
    folder = content["inputs"]["parameterValues"]["serving_models"]
    candidate = content["inputs"]["artifacts"]["candidate"]["artifacts"][0]
    output = content["outputs"]["artifacts"]["model"]["artifacts"][0]
    pushed = versions.numbers(folder)
    newest = os.path.join(folder, str(pushed[-1])) if pushed else ""
    if newest:
        own = path_utils.serving_model_path(candidate["uri"])
        if manifest.model_id(newest) == manifest.model_id(own):
            newest = ""
    if newest:
        io_utils.copy_dir(newest, path_utils.serving_model_dir(output["uri"]))
    metadata = {kubeflow_spec.ABSENT: 0 if newest else 1, "pushed_version": newest}
    return {"artifacts": {"model": {"artifacts": [{**output, "metadata": metadata}]}}}


_TASKS = {"source": source, "baseline": baseline}


def main() -> None:
    """Runs the task that the command line names."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("task", choices=sorted(_TASKS))
    parser.add_argument("--executor-input", required=True, type=json.loads)
    arguments = parser.parse_args()
    try:
        output = _TASKS[arguments.task](arguments.executor_input)
    except errors.InputError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(_EXIT_BAD_INPUT)
    path = arguments.executor_input["outputs"]["outputFile"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(output, file)


if __name__ == "__main__":
    main()
