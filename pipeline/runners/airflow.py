"""Compiles the pipeline to an Airflow DAG file, with the pipeline beside it."""

from __future__ import annotations

import hashlib
import os
import pathlib
import sys

from google.protobuf import json_format
from tfx.proto.orchestration import pipeline_pb2

from pipeline.runners import airflow_dag, local, nodes
from schema import errors, files, settings

_DEFAULT_ROOT = "runs/airflow"


def compile_to_file(
    config: settings.HeedConfig, root: str, output: pathlib.Path
) -> None:
    """Writes the DAG file, and the compiled pipeline beside it.

    The tasks run in the environment that calls this function.

    Args:
      config: the resolved configuration; relative paths of the data are made absolute.
      root: the run's directory, on a disk that all workers share; empty: `runs/airflow`
        below the current directory.
      output: the DAG file to write.

    Raises:
      InputError: the output is no Python file, the root is no directory of this
        machine, no event log is named, or the pipeline's name is no DAG id.
    """
    if output.suffix != ".py":
        raise errors.InputError(
            f"`--output` = {output}: Airflow reads DAG files that end in .py"
        )
    if "://" in root:
        raise errors.InputError(
            f"`--root` = {root}: Airflow runs keep their metadata in SQLite; expected "
            "a directory that all workers share"
        )
    if not config.data.events:
        raise errors.InputError(
            "`data.events` names no event log: set it with `--set data.events=PATH`"
        )
    if not root:
        root = os.path.abspath(_DEFAULT_ROOT)
        sys.stderr.write(f"note: no `--root` given; the runs will live in {root}\n")
    root = os.path.abspath(root)
    config = config.model_copy(update={"data": with_absolute_paths(config.data)})
    ir = nodes.compile_pipeline(local.pipeline_in(root, config))
    content = json_format.MessageToJson(ir, sort_keys=True).encode()
    ir_path = output.with_suffix(".ir.json")
    dag = airflow_dag.render(
        dag_id=config.pipeline.name,
        command=[sys.executable, "-m", "pipeline.cli"],
        ir_name=ir_path.name,
        ir_sha256=hashlib.sha256(content).hexdigest(),
        upstream=nodes.upstream_ids(ir),
    )
    files.write_atomically(ir_path, content)
    files.write_atomically(output, dag)


def with_absolute_paths(data: settings.DataSettings) -> settings.DataSettings:
    """Returns the section with paths that hold from any working directory."""
    paths = {"events": data.events, "items": data.items}
    return data.model_copy(
        update={
            key: os.path.abspath(path)
            for key, path in paths.items()
            if path and "://" not in path
        }
    )


def read_ir(path: pathlib.Path) -> pipeline_pb2.Pipeline:
    """Returns the compiled pipeline that `compile_to_file` wrote.

    Raises:
      InputError: the file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json_format.Parse(text, pipeline_pb2.Pipeline())
    except OSError as error:
        raise errors.InputError(f"{path} cannot be read: {error.strerror}") from error
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise errors.InputError(
            f"{path} is no compiled pipeline; expected what `heed compile --runner "
            f"airflow` wrote beside the DAG: {error}"
        ) from error
