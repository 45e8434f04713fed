"""From a blessed model to its training run, in a metadata store filled by hand."""

import json

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from components.trainer import config as trainer_config
from pipeline.metadata import lineage
from schema import errors, settings

Event = metadata_store_pb2.Event
CONFIG = trainer_config.TrainerConfig.of(settings.HeedConfig())


class Store:
    """An empty store in memory, and short words for what goes into it."""

    def __init__(self):
        config = metadata_store_pb2.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = metadata_store.MetadataStore(config)

    def artifact(self, kind, uri, **integers):
        type_id = self.store.put_artifact_type(
            metadata_store_pb2.ArtifactType(name=kind)
        )
        made = metadata_store_pb2.Artifact(
            type_id=type_id, uri=uri, state=metadata_store_pb2.Artifact.LIVE
        )
        for name, value in integers.items():
            made.custom_properties[name].int_value = value
        return self.store.put_artifacts([made])[0]

    def execution(self, kind, inputs, outputs, **texts):
        type_id = self.store.put_execution_type(
            metadata_store_pb2.ExecutionType(name=kind)
        )
        made = metadata_store_pb2.Execution(type_id=type_id)
        for name, value in texts.items():
            made.custom_properties[name].string_value = value
        (execution_id,) = self.store.put_executions([made])
        events = []
        for kind_of, found in ((Event.INPUT, inputs), (Event.OUTPUT, outputs)):
            for key, artifact_id in found.items():
                event = Event(
                    artifact_id=artifact_id, execution_id=execution_id, type=kind_of
                )
                event.path.steps.add(key=key)
                event.path.steps.add(index=0)
                events.append(event)
        self.store.put_events(events)

    def judge(self, model, blessed, anomalies):
        judged = {"model": model, "event_anomalies": anomalies}
        self.execution("PromotionGate", judged, {})
        self.artifact("ModelBlessing", "b", blessed=blessed, current_model_id=model)
        self.artifact("ModelBlessing", "b", blessed=blessed, current_model_id=model)


@pytest.fixture
def trained():
    """A training run, a refresh of its index, and a later run that was refused."""
    made = Store()
    custom = json.dumps({"config": CONFIG.to_json()})

    def train(name):
        catalog = made.artifact("Examples", f"{name}/catalog")
        transformed = made.artifact("Examples", f"{name}/transformed_catalog")
        of_catalog = made.artifact("TransformGraph", f"{name}/catalog_transform")
        of_events = made.artifact("TransformGraph", f"{name}/transform")
        examples = made.artifact("Examples", f"{name}/examples")
        towers = made.artifact("Model", f"{name}/towers")
        model = made.artifact("Model", f"{name}/model")
        made.execution(
            "Transform",
            {"examples": catalog},
            {"transform_graph": of_catalog, "transformed_examples": transformed},
        )
        made.execution(
            "Trainer",
            {
                "catalog": transformed,
                "catalog_transform_graph": of_catalog,
                "transform_graph": of_events,
            },
            {"model": towers},
            custom_config=custom,
        )
        indexed = {"towers": towers, "examples": examples, "catalog": catalog}
        made.execution("IndexBuilder", indexed, {"model": model})
        return towers, examples, model

    towers, examples, model = train("first")
    anomalies = made.artifact("AnomalyReport", "first/event_anomalies")
    made.judge(model, 1, anomalies)
    newer = made.artifact("Examples", "newer/catalog")
    refreshed = made.artifact("Model", "newer/towers")
    served = made.artifact("Model", "newer/model")
    made.execution(
        "TowerRefresher", {"towers": towers, "catalog": newer}, {"model": refreshed}
    )
    made.execution(
        "IndexBuilder",
        {"towers": refreshed, "examples": examples, "catalog": newer},
        {"model": served},
    )
    made.judge(served, 1, anomalies)
    refused = train("second")[2]
    made.judge(refused, 0, made.artifact("AnomalyReport", "second/event_anomalies"))
    return made


def test_refreshed_model_goes_back_to_the_towers_that_were_trained(trained):
    found = lineage.of_last_blessed(trained.store)

    assert {
        "blessed": found.blessed.uri,
        "towers": found.towers.uri,
        "transform_graph": found.transform_graph.uri,
        "catalog_transform_graph": found.catalog_transform_graph.uri,
        "examples": found.examples.uri,
        "catalog": found.catalog.uri,
        "event_anomalies": found.event_anomalies.uri,
    } == {
        "blessed": "newer/model",
        "towers": "first/towers",
        "transform_graph": "first/transform",
        "catalog_transform_graph": "first/catalog_transform",
        "examples": "first/examples",
        "catalog": "first/catalog",
        "event_anomalies": "first/event_anomalies",
    }
    assert found.config == CONFIG


def test_model_that_no_report_on_its_log_was_judged_with_is_refused():
    made = Store()
    model = made.artifact("Model", "m")
    towers = made.artifact("Model", "t")
    graphs = [made.artifact("TransformGraph", name) for name in "ab"]
    catalog, examples = (made.artifact("Examples", name) for name in "ce")
    trained_on = dict(zip(["transform_graph", "catalog_transform_graph"], graphs))  # noqa: B905
    made.execution("Transform", {"examples": catalog}, {"transform_graph": graphs[1]})
    made.execution(
        "Trainer",
        trained_on,
        {"model": towers},
        custom_config=json.dumps({"config": CONFIG.to_json()}),
    )
    made.execution(
        "IndexBuilder", {"towers": towers, "examples": examples}, {"model": model}
    )
    made.artifact("ModelBlessing", "b", blessed=1, current_model_id=model)

    with pytest.raises(
        errors.InputError, match=r"no report on its event log.*heed run"
    ):
        lineage.of_last_blessed(made.store)


def test_without_a_blessed_model_there_is_nothing_to_refresh():
    empty = Store()
    empty.artifact("ModelBlessing", "b", blessed=0, current_model_id=1)

    with pytest.raises(errors.InputError, match=r"no model is blessed yet.*heed run"):
        lineage.of_last_blessed(empty.store)
