"""From a blessed model back to the run that trained it, by ML Metadata."""

from __future__ import annotations

import dataclasses
import json

import pydantic
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from components.trainer import config as trainer_config
from pipeline.metadata import mlmd
from schema import errors

_EVENT = metadata_store_pb2.Event
_INPUTS = (_EVENT.INPUT, _EVENT.DECLARED_INPUT)
_OUTPUTS = (_EVENT.OUTPUT, _EVENT.DECLARED_OUTPUT)


@dataclasses.dataclass(frozen=True)
class TrainedRun:
    """What the towers behind a blessed model were made of."""

    blessed: metadata_store_pb2.Artifact
    """IndexBuilder's model that was blessed last."""
    towers: metadata_store_pb2.Artifact
    """The Trainer's model."""
    transform_graph: metadata_store_pb2.Artifact
    catalog_transform_graph: metadata_store_pb2.Artifact
    examples: metadata_store_pb2.Artifact
    """Raw event examples."""
    catalog: metadata_store_pb2.Artifact
    """Raw catalogue examples."""
    event_anomalies: metadata_store_pb2.Artifact
    """What the gate was told of the event log."""
    config: trainer_config.TrainerConfig


def of_last_blessed(store: metadata_store.MetadataStore) -> TrainedRun:
    """Returns the training run of the newest model that is blessed.

    Raises:
      InputError: no model is blessed, or its towers were trained by other code.
    """
    blessed = _last_blessed(store)
    index_inputs = _inputs(store, _producer(store, blessed))
    towers = index_inputs["towers"]
    producer = _producer(store, towers)
    # Refreshed towers go back to those that were trained.
    while "towers" in _inputs(store, producer):
        towers = _inputs(store, producer)["towers"]
        producer = _producer(store, towers)
    trained_on = _inputs(store, producer)
    catalog_transform = _producer(store, trained_on["catalog_transform_graph"])
    return TrainedRun(
        blessed=blessed,
        towers=towers,
        transform_graph=trained_on["transform_graph"],
        catalog_transform_graph=trained_on["catalog_transform_graph"],
        examples=index_inputs["examples"],
        catalog=_inputs(store, catalog_transform)["examples"],
        event_anomalies=_event_anomalies(store, blessed),
        config=_trainer_config(producer),
    )


def _event_anomalies(
    store: metadata_store.MetadataStore, model: metadata_store_pb2.Artifact
) -> metadata_store_pb2.Artifact:
    """Returns the report on the log that the gate had when it judged the model."""
    judged_in = [
        event.execution_id
        for event in store.get_events_by_artifact_ids([model.id])
        if event.type in _INPUTS
    ]
    for execution in store.get_executions_by_id(judged_in):
        inputs = _inputs(store, execution)
        if "event_anomalies" in inputs:
            return inputs["event_anomalies"]
    raise errors.InputError(
        "the gate that judged the blessed model had no report on its event log, or was "
        "of another version of heed: train again with `heed run`"
    )


def _last_blessed(store: metadata_store.MetadataStore) -> metadata_store_pb2.Artifact:
    blessed = [b for b in mlmd.blessings(store) if mlmd.property_of(b, "blessed") == 1]
    if not blessed:
        raise errors.InputError(
            "no model is blessed yet: train one with `heed run` before its index can "
            "be refreshed"
        )
    model_id = blessed[-1].custom_properties["current_model_id"].int_value
    found = store.get_artifacts_by_id([model_id])
    if not found:
        raise errors.InputError(
            f"the blessed model (artifact {model_id}) is not in the metadata any more: "
            "train one with `heed run`"
        )
    return found[0]


def _producer(
    store: metadata_store.MetadataStore, artifact: metadata_store_pb2.Artifact
) -> metadata_store_pb2.Execution:
    """Returns the execution that made the artifact; later ones only reused it."""
    made_in = [
        event.execution_id
        for event in store.get_events_by_artifact_ids([artifact.id])
        if event.type in _OUTPUTS
    ]
    if not made_in:
        raise errors.InputError(
            f"the metadata does not tell what made {artifact.uri}: train a model with "
            "`heed run`"
        )
    (execution,) = store.get_executions_by_id([min(made_in)])
    return execution


def _inputs(
    store: metadata_store.MetadataStore, execution: metadata_store_pb2.Execution
) -> dict[str, metadata_store_pb2.Artifact]:
    key_of = {
        event.artifact_id: event.path.steps[0].key
        for event in store.get_events_by_execution_ids([execution.id])
        if event.type in _INPUTS and event.path.steps
    }
    artifacts = store.get_artifacts_by_id(list(key_of)) if key_of else []
    return {key_of[artifact.id]: artifact for artifact in artifacts}


def _trainer_config(
    execution: metadata_store_pb2.Execution,
) -> trainer_config.TrainerConfig:
    text = execution.custom_properties["custom_config"].string_value
    try:
        return trainer_config.TrainerConfig.from_json(json.loads(text)["config"])
    except (ValueError, KeyError, pydantic.ValidationError) as error:
        raise errors.InputError(
            "the configuration that the blessed model was trained with is not one of "
            "this version of heed: train again with `heed run`"
        ) from error
