"""Launches one node of a compiled pipeline; every runner of ours goes through it."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import (
    data_types,
    launcher,
    runtime_parameter_utils,
)
from tfx.proto.orchestration import pipeline_pb2

from pipeline import interrupts
from pipeline.metadata import executions, mlmd, seals
from schema import errors

_LOG = logging.getLogger(__name__)


class _Launcher(launcher.Launcher):
    """Records no step as finished that a signal came into.

    TensorFlow may swallow the exception in the middle of its work and go on. What it
    made after that is not to be relied on.
    """

    def _run_executor(self, execution_info: data_types.ExecutionInfo) -> Any:
        output = super()._run_executor(execution_info)
        interrupts.check()
        return output


def compile_pipeline(pipeline: tfx_pipeline.Pipeline) -> pipeline_pb2.Pipeline:
    """Returns the intermediate representation, with the run id still open.

    Its nodes stand in the order in which `create_pipeline` made them: that of the
    flow, each after what it reads. TFX would sort each layer by name.
    """
    compiled: pipeline_pb2.Pipeline = compiler.Compiler().compile(pipeline)
    made = [node.id for node in pipeline.dsl_context_registry.all_nodes]
    nodes = sorted(
        compiled.nodes, key=lambda node: made.index(node.pipeline_node.node_info.id)
    )
    del compiled.nodes[:]
    compiled.nodes.extend(nodes)
    return compiled


def set_run_id(ir: pipeline_pb2.Pipeline, run_id: str) -> None:
    """Fills in the run id; all nodes of one run must share it."""
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )


def node_ids(ir: pipeline_pb2.Pipeline) -> list[str]:
    """Returns the ids in topological order."""
    return [node.pipeline_node.node_info.id for node in ir.nodes]


def upstream_ids(ir: pipeline_pb2.Pipeline) -> dict[str, list[str]]:
    """Returns, by node id, the ids that must have finished before."""
    return {
        node.pipeline_node.node_info.id: sorted(node.pipeline_node.upstream_nodes)
        for node in ir.nodes
    }


def launch(
    ir: pipeline_pb2.Pipeline, node_id: str, run_id: str
) -> executions.NodeOutputs | None:
    """Runs driver, executor and publisher of one node in this process.

    Outputs of before that were changed since are made anew, as those that are gone are.

    Args:
      ir: the compiled pipeline, run id set.
      node_id: the node.
      run_id: the run's id.

    Returns:
      The node's outputs; None where it registers no execution.

    Raises:
      InputError: there is no such node.
      Exception: whatever the executor raised.
    """
    found = [n for n in ir.nodes if n.pipeline_node.node_info.id == node_id]
    if not found:
        raise errors.InputError(
            f"no node {node_id!r}; there are {', '.join(node_ids(ir))}"
        )
    deployment = runner_utils.extract_local_deployment_config(ir)
    wrapped = deployment.metadata_connection_config
    connection = getattr(wrapped, wrapped.WhichOneof("connection_config"))
    executor_spec = runner_utils.extract_executor_spec(deployment, node_id)
    # What a resolver or an importer puts out was made by another step.
    is_step = executor_spec is not None
    with metadata.Metadata(connection) as handle:
        if is_step:
            changed = seals.set_aside(handle.store, node_id, ir.pipeline_info.id)
            for folder, reason in changed.items():
                _LOG.warning("%s: %s; %s runs again", folder, reason, node_id)
    _Launcher(
        pipeline_node=found[0].pipeline_node,
        mlmd_connection=metadata.Metadata(connection),
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=executor_spec,
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
    ).launch()
    with metadata.Metadata(connection) as handle:
        outputs = executions.node_outputs(
            handle.store, run_id, node_id, ir.pipeline_info.id
        )
        if is_step and outputs is not None and not outputs.cached:
            seals.seal(handle.store, outputs)
        return outputs


def is_pushed(pusher_outputs: executions.NodeOutputs) -> bool:
    """Returns whether the Pusher has pushed, or found the model served already."""
    pushed = pusher_outputs.artifacts["pushed_model"]
    return bool(mlmd.property_of(pushed, "pushed") == 1)
