"""Commands for orchestrators: compile the pipeline, launch one of its nodes."""

from __future__ import annotations

import os
import pathlib
from typing import Annotated

import typer

from pipeline.commands import shell


@shell.app.command("compile")
def compile_(
    runner: Annotated[str, typer.Option("--runner", help="kubeflow or airflow.")],
    output: Annotated[pathlib.Path, typer.Option("--output", help="File to write.")],
    root: Annotated[
        str, typer.Option("--root", help="Where runs read and write; a path or URI.")
    ] = "",
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Compile the same pipeline for an orchestrator."""
    with shell.clear_errors():
        from schema import errors

        resolved = shell.load(config, set_)
        if runner == "kubeflow":
            from pipeline.runners import kubeflow

            kubeflow.compile_to_file(resolved.config, root, output)
        elif runner == "airflow":
            from pipeline.runners import airflow

            airflow.compile_to_file(resolved.config, root, output)
        else:
            raise errors.InputError(
                f"`--runner` must be `kubeflow` or `airflow`; got {runner!r}"
            )
        typer.echo(f"written: {output}")


@shell.app.command("run-node", hidden=True)
def run_node(
    ir: Annotated[pathlib.Path, typer.Option("--ir", help="Compiled pipeline.")],
    node: Annotated[str, typer.Option("--node", help="Node to launch.")],
    run_id: Annotated[str, typer.Option("--run-id", help="Shared by the run.")],
) -> None:
    """Launch one node of a compiled pipeline; what an Airflow task calls."""
    with shell.clear_errors():
        from pipeline.runners import airflow, nodes, reports

        pipeline_ir = airflow.read_ir(ir)
        nodes.set_run_id(pipeline_ir, run_id)
        artifacts = pipeline_ir.runtime_spec.pipeline_root.field_value.string_value
        root = os.path.dirname(artifacts)
        os.makedirs(os.path.join(root, "reports"), exist_ok=True)
        try:
            outputs = nodes.launch(pipeline_ir, node, run_id)
        except BaseException:
            reports.publish_of_failed(root, node)
            raise
        reports.publish(root, node, outputs)
    # A scheduled run that pushed nothing must not look like one that did.
    if node == "Pusher" and outputs and not nodes.is_pushed(outputs):
        typer.echo("refused by the promotion gate; nothing was pushed", err=True)
        raise typer.Exit(shell.EXIT_REFUSED)
