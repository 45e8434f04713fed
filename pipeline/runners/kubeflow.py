"""Compiles the pipeline to a Kubeflow Pipelines specification."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import pathlib
import re
import sys
from typing import Any

from pipeline.runners import kubeflow_spec
from schema import errors, files, settings

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_PACKAGED_SUFFIX = ".pbtxt"


def compile_to_file(
    config: settings.HeedConfig, root: str, output: pathlib.Path
) -> None:
    """Writes the specification (version 2.1) that Kubeflow Pipelines 2 runs.

    Args:
      config: the resolved configuration; its paths must be reachable from the cluster.
      root: URI of the run's directory, such as `gs://bucket/heed`; empty: the
        pipeline's parameter `root` has no default and must be given with each run.
      output: the file to write: YAML, or JSON if its name ends in `.json`.

    Raises:
      InputError: kfp is not installed, the root is a path of this machine, no event
        log is named, or Kubeflow takes no such name.
    """
    if root and "://" not in root:
        raise errors.InputError(
            f"`--root` = {root}: pods share no disk; expected a URI such as "
            "gs://bucket/heed"
        )
    if config.train.warm_start:
        raise errors.InputError(
            "`train.warm_start`: Kubeflow knows the last model by its pushed files "
            "alone, which hold no record to start from; set it to false"
        )
    if not config.data.events:
        raise errors.InputError(
            "`data.events` names no event log: set it with `--set data.events=URI`"
        )
    if not _NAME.fullmatch(config.pipeline.name):
        raise errors.InputError(
            f"`pipeline.name` = {config.pipeline.name!r}: Kubeflow takes lower-case "
            "letters, digits and dashes, at most 128, not starting with a dash"
        )
    spec = pipeline_spec(config, root.rstrip("/"))
    for note in notes(config, root):
        sys.stderr.write(f"note: {note}\n")
    files.write_atomically(output, _dump(spec, output.suffix))


def pipeline_spec(config: settings.HeedConfig, root: str) -> dict[str, Any]:
    """Returns the specification as tables.

    Raises:
      InputError: kfp is not installed.
    """
    try:
        from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
    except ImportError as error:
        raise errors.InputError(
            "the Kubeflow compiler needs kfp: run `make setup-orchestrators` and use "
            f".venv-orchestrators/bin/heed ({error})"
        ) from error
    from pipeline import data_steps
    from pipeline import pipeline as heed_pipeline
    from pipeline.runners import kubeflow_artifacts, local

    pipeline = heed_pipeline.create_pipeline(
        config,
        data_steps.Locations(
            # Checkpoints lie there; where artifacts lie is the backend's business.
            artifacts=f"{kubeflow_spec.ROOT_MARK}/artifacts",
            serving_models=f"{kubeflow_spec.ROOT_MARK}/serving_models",
        ),
        beam_args=local.beam_args(config.beam.args),
    )
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
        config=kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
            default_image=config.pipeline.image,
            display_name=config.pipeline.name,
            # The open-source backend refuses anything older.
            use_pipeline_spec_2_1=True,
        )
    )
    with kubeflow_artifacts.kubeflow_titles():
        job = runner.run(pipeline, write_out=False)
    return kubeflow_spec.adapt(
        job["pipelineSpec"],
        nodes=[node.id for node in pipeline.components],
        image=config.pipeline.image,
        root=root,
        packaged_files=_packaged_files(),
    )


def notes(config: settings.HeedConfig, root: str) -> list[str]:
    """Returns what whoever submits the pipeline must know, a sentence each."""
    found = []
    if not root:
        found.append(
            "no `--root` given; each run must set the pipeline's parameter "
            f"`{kubeflow_spec.ROOT_PARAMETER}`, such as gs://bucket/heed"
        )
    for key in ("events", "items"):
        location = getattr(config.data, key)
        if location and "://" not in location:
            found.append(
                f"`data.{key}` = {location} is a path, not a URI; the pods must find "
                "it there on a mounted volume"
            )
    return found


def _packaged_files() -> dict[str, str]:
    """Returns path to digest of the schema files, which the image holds as well."""
    files = [
        pathlib.Path(str(entry))
        for entry in importlib.resources.files("schema").iterdir()
        if entry.name.endswith(_PACKAGED_SUFFIX)
    ]
    return {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def _dump(spec: dict[str, Any], suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(spec, indent=1)
    import yaml  # type: ignore[import-untyped]

    text: str = yaml.safe_dump(spec, sort_keys=False, width=10_000)
    return text
