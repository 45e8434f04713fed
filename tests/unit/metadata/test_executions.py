"""Outputs of a run, out of a store in memory that is filled as TFX fills it."""

import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata import executions, mlmd
from tests import metadata_log

Execution = metadata_store_pb2.Execution


@pytest.fixture
def log():
    return metadata_log.Log()


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
