"""The steps from event log and catalogue to what is learnt from."""

from __future__ import annotations

import dataclasses
import importlib.resources
import os

from tfx import types
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen

from components import source_digest
from components.anomaly_check.component import AnomalyCheck
from components.event_example_gen.component import EventExampleGen
from components.item_catalog_gen.component import ItemCatalogGen
from components.statistics_gen.component import StatisticsGen
from components.transform.component import Transform
from schema import features, settings

EVENTS_PREPROCESSING_FN = "components.transform.events.preprocessing_fn"
CATALOG_PREPROCESSING_FN = "components.transform.catalog.preprocessing_fn"


@dataclasses.dataclass(frozen=True)
class Locations:
    """Where a run reads and writes; paths or URIs that all workers can reach."""

    artifacts: str
    serving_models: str
    """Directory of versions that TensorFlow Serving watches."""


def _schema_file(name: str) -> str:
    return str(importlib.resources.files("schema") / name)


def item_catalog_gen(
    config: settings.HeedConfig, ingestion_report: types.BaseChannel | None = None
) -> ItemCatalogGen:
    """Returns the step that reads the catalogue."""
    return ItemCatalogGen(
        data=config.data,
        mapping=config.mapping().items,
        event_mapping=config.mapping().events,
        ingestion_report=ingestion_report,
    )


class DataSteps:
    """The steps from event log and catalogue to what is learnt from."""

    def __init__(self, config: settings.HeedConfig, locations: Locations):
        event_gen = EventExampleGen(
            data=config.data,
            mapping=config.mapping().events,
            feedback=config.feedback,
            history=config.history,
            judge_share=config.responsiveness.judge_share,
        )
        catalog_gen = item_catalog_gen(config, event_gen.outputs["ingestion_report"])
        event_checks = Checks(
            "Event", event_gen.outputs["examples"], "events_schema", config, locations
        )
        catalog_checks = Checks(
            "Catalog",
            catalog_gen.outputs["examples"],
            "catalog_schema",
            config,
            locations,
        )
        transform = Transform(
            examples=event_gen.outputs["examples"],
            schema=event_checks.schema,
            preprocessing_fn=EVENTS_PREPROCESSING_FN,
            analyze=features.TRAIN,
            transform=[features.TRAIN, features.EVAL],
            custom_config={"feedback": config.feedback.to_json()},
        ).with_id("EventTransform")
        catalog_transform = Transform(
            examples=catalog_gen.outputs["examples"],
            schema=catalog_checks.schema,
            preprocessing_fn=CATALOG_PREPROCESSING_FN,
            analyze=features.CATALOG,
            transform=[features.CATALOG],
        ).with_id("CatalogTransform")
        # Nothing is learnt from data that broke the schema.
        transform.add_upstream_node(event_checks.anomaly_check)
        catalog_transform.add_upstream_node(catalog_checks.anomaly_check)
        self.event_gen, self.event_checks = event_gen, event_checks
        self.catalog_gen, self.catalog_checks = catalog_gen, catalog_checks
        self.transform, self.catalog_transform = transform, catalog_transform
        self.nodes = [
            event_gen,
            catalog_gen,
            *event_checks.nodes,
            *catalog_checks.nodes,
            transform,
            catalog_transform,
        ]


class Checks:
    """Statistics, curated schema, validation, and the check that stops the run."""

    def __init__(
        self,
        name: str,
        examples: types.BaseChannel,
        schema: str,
        config: settings.HeedConfig,
        locations: Locations,
    ):
        # Nothing is learnt of the judge's users, not even what is usual.
        statistics_gen = StatisticsGen(
            examples=examples,
            exclude_splits=[features.JUDGE],
            max_examples=config.checks.max_statistics_examples,
        ).with_id(f"{name}Statistics")
        schema_file = _schema_file(f"{schema}.pbtxt")
        schema_gen = ImportSchemaGen(schema_file=schema_file).with_id(f"{name}Schema")
        # Its own cache key is the path: an edited file must rerun what reads it.
        schema_gen.spec.exec_properties["schema_digest"] = source_digest.file_digest(
            schema_file
        )
        validator = ExampleValidator(
            statistics=statistics_gen.outputs["statistics"],
            schema=schema_gen.outputs["schema"],
        ).with_id(f"{name}Validator")
        self.anomaly_check = AnomalyCheck(
            anomalies=validator.outputs["anomalies"],
            statistics=statistics_gen.outputs["statistics"],
            checks=config.checks,
            max_drift_key=f"max_{name.lower()}_drift",
            baseline_dir=os.path.join(locations.artifacts, "baseline_statistics", name),
        ).with_id(f"{name}AnomalyCheck")
        self.schema = schema_gen.outputs["schema"]
        self.nodes = [statistics_gen, schema_gen, validator, self.anomaly_check]
