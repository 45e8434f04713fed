"""Outputs of a run, out of a store in memory that is filled as TFX fills it."""

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata import executions, mlmd

Event = metadata_store_pb2.Event
Execution = metadata_store_pb2.Execution


class Log:
    """Writes runs, nodes, executions and artifacts."""

    def __init__(self):
        connection = metadata_store_pb2.ConnectionConfig()
        connection.fake_database.SetInParent()
        self.store = metadata_store.MetadataStore(connection)
        self.types = {
            name: self.store.put_context_type(metadata_store_pb2.ContextType(name=name))
            for name in ("pipeline_run", "node")
        }
        self.execution_type = self.store.put_execution_type(
            metadata_store_pb2.ExecutionType(name="Step")
        )
        self.artifact_type = self.store.put_artifact_type(
            metadata_store_pb2.ArtifactType(name="Thing")
        )

    def context(self, kind, name):
        found = self.store.get_context_by_type_and_name(kind, name)
        if found is not None:
            return found.id
        context = metadata_store_pb2.Context(type_id=self.types[kind], name=name)
        return self.store.put_contexts([context])[0]

    def artifact(self, uri, **properties):
        artifact = metadata_store_pb2.Artifact(type_id=self.artifact_type, uri=uri)
        for name, value in properties.items():
            kind = {int: "int_value", str: "string_value"}[type(value)]
            setattr(artifact.custom_properties[name], kind, value)
        return self.store.put_artifacts([artifact])[0]

    def execute(self, run, node, outputs, inputs=(), state=Execution.COMPLETE):
        (execution,) = self.store.put_executions(
            [Execution(type_id=self.execution_type, last_known_state=state)]
        )
        for context in (
            self.context("pipeline_run", run),
            self.context("node", f"heed.{node}"),
        ):
            self.store.put_attributions_and_associations(
                [],
                [
                    metadata_store_pb2.Association(
                        execution_id=execution, context_id=context
                    )
                ],
            )
        for kind, pairs in ((Event.OUTPUT, outputs.items()), (Event.INPUT, inputs)):
            for key, artifact in pairs:
                event = Event(artifact_id=artifact, execution_id=execution, type=kind)
                event.path.steps.add().key = key
                event.path.steps.add().index = 0
                self.store.put_events([event])


@pytest.fixture
def log():
    return Log()


def outputs(log, run="r1", node="Gate"):
    return executions.node_outputs(log.store, run, node, "heed")


def test_outputs_by_key_without_the_inputs(log):
    log.execute(
        "r1",
        "Gate",
        {"blessing": log.artifact("/b"), "promotion": log.artifact("/p")},
        inputs=[("model", log.artifact("/m"))],
    )

    found = outputs(log)

    assert {key: a.uri for key, a in found.artifacts.items()} == {
        "blessing": "/b",
        "promotion": "/p",
    }
    assert not found.cached


def test_runs_and_nodes_are_kept_apart(log):
    log.execute("r1", "Gate", {"blessing": log.artifact("/first")})
    log.execute("r2", "Gate", {"blessing": log.artifact("/second")})
    log.execute("r1", "Pusher", {"pushed_model": log.artifact("/pushed")})

    assert outputs(log, "r1").artifacts["blessing"].uri == "/first"
    assert outputs(log, "r2").artifacts["blessing"].uri == "/second"
    assert set(outputs(log, "r1", "Pusher").artifacts) == {"pushed_model"}


def test_last_execution_of_a_run_counts(log):
    log.execute("r1", "Gate", {"blessing": log.artifact("/failed")})
    log.execute("r1", "Gate", {"blessing": log.artifact("/retried")})

    assert outputs(log).artifacts["blessing"].uri == "/retried"


def test_cached_execution_is_told(log):
    log.execute("r1", "Gate", {"blessing": log.artifact("/b")}, state=Execution.CACHED)

    assert outputs(log).cached


def test_node_without_outputs(log):
    log.execute("r1", "Gate", {})

    assert outputs(log).artifacts == {}


def test_node_that_has_not_run_is_none(log):
    assert outputs(log) is None
    log.execute("r1", "Pusher", {})
    log.execute("r2", "Gate", {})

    assert outputs(log) is None


def test_custom_properties_of_either_kind(log):
    artifact = log.artifact("/b", blessed=1, verdict="good")
    (stored,) = log.store.get_artifacts_by_id([artifact])

    assert mlmd.property_of(stored, "blessed") == 1
    assert mlmd.property_of(stored, "verdict") == "good"
    assert mlmd.property_of(stored, "missing") is None
