"""The pipeline: one function that wires the steps in the order of the flow."""

from __future__ import annotations

import dataclasses
import os

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common import importer, resolver
from tfx.dsl.input_resolution.strategies import latest_blessed_model_strategy
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts

from components import artifacts
from components.evaluation.component import Evaluation
from components.evaluation.config import EvaluationConfig
from components.index_builder.component import IndexBuilder
from components.promotion_gate.component import PromotionGate
from components.promotion_gate.config import GateConfig
from components.pusher.component import Pusher
from components.responsiveness.component import Responsiveness
from components.responsiveness.config import SimulationConfig
from components.serving_check.component import ServingCheck
from components.tower_refresher.component import TowerRefresher
from components.trainer.component import Trainer
from components.trainer.config import TrainerConfig
from components.tuner.component import Tuner
from pipeline.data_steps import Checks, DataSteps, Locations, item_catalog_gen
from pipeline.metadata import lineage
from schema import settings


def create_pipeline(
    config: settings.HeedConfig,
    locations: Locations,
    metadata_connection_config: metadata_store_pb2.ConnectionConfig | None = None,
    beam_args: tuple[str, ...] | None = None,
) -> tfx_pipeline.Pipeline:
    """Returns the whole pipeline for any orchestrator.

    Args:
      config: the resolved configuration.
      locations: where artifacts and pushed models go.
      metadata_connection_config: ML Metadata's store; None: the orchestrator's own.
      beam_args: replaces `beam.args`, for a runner that must add to them.
    """
    data = DataSteps(config, locations)
    last_blessed = _last_blessed_model() if config.train.warm_start else None
    trainer = Trainer(
        examples=data.transform.outputs["transformed_examples"],
        transform_graph=data.transform.outputs["transform_graph"],
        catalog=data.catalog_transform.outputs["transformed_examples"],
        catalog_transform_graph=data.catalog_transform.outputs["transform_graph"],
        config=TrainerConfig.of(config),
        checkpoint_root=os.path.join(locations.artifacts, "checkpoints"),
        base_model=last_blessed.outputs["model"] if last_blessed else None,
    )
    steps = [
        *data.nodes,
        trainer,
        *_nodes_to_service(
            config,
            locations,
            Trained(
                towers=trainer.outputs["model"],
                examples=data.event_gen.outputs["examples"],
                transform_graph=data.transform.outputs["transform_graph"],
                event_anomalies=data.event_checks.anomaly_check.outputs["report"],
                config=TrainerConfig.of(config),
            ),
            data.catalog_gen.outputs["examples"],
            data.catalog_checks.anomaly_check.outputs["report"],
            last_blessed=last_blessed,
        ),
    ]
    args = config.beam.args if beam_args is None else beam_args
    return _pipeline(config, locations, steps, metadata_connection_config, args)


def create_tuning_pipeline(
    config: settings.HeedConfig,
    locations: Locations,
    metadata_connection_config: metadata_store_pb2.ConnectionConfig,
    beam_args: tuple[str, ...],
) -> tfx_pipeline.Pipeline:
    """Returns the pipeline that ends with the search for hyperparameters.

    It takes what `create_pipeline` takes, and shares steps with it; `config.tuning`
    holds the ranges.
    """
    data = DataSteps(config, locations)
    tuner = Tuner(
        examples=data.transform.outputs["transformed_examples"],
        transform_graph=data.transform.outputs["transform_graph"],
        catalog=data.catalog_transform.outputs["transformed_examples"],
        catalog_transform_graph=data.catalog_transform.outputs["transform_graph"],
        config=TrainerConfig.of(config),
        tuning=config.tuning,
    )
    steps = [*data.nodes, tuner]
    return _pipeline(config, locations, steps, metadata_connection_config, beam_args)


def create_refresh_pipeline(
    trained_run: lineage.TrainedRun,
    config: settings.HeedConfig,
    locations: Locations,
    metadata_connection_config: metadata_store_pb2.ConnectionConfig,
    beam_args: tuple[str, ...],
) -> tfx_pipeline.Pipeline:
    """Returns the pipeline that serves trained towers with a newer catalogue.

    It shares name, metadata and steps with the whole pipeline: what it blesses is the
    next run's baseline, and steps that either has done are reused by the other. Beside
    the run whose towers are served it takes what `create_pipeline` takes.
    """
    # An artifact of this URI is in the metadata already, and is used as it is.
    existing = {
        name: importer.Importer(
            source_uri=getattr(trained_run, name).uri, artifact_type=kind
        ).with_id("Trained" + node)
        for name, node, kind in (
            ("towers", "Towers", standard_artifacts.Model),
            ("examples", "Examples", standard_artifacts.Examples),
            ("transform_graph", "Transform", standard_artifacts.TransformGraph),
            (
                "catalog_transform_graph",
                "CatalogTransform",
                standard_artifacts.TransformGraph,
            ),
            ("catalog", "Catalog", standard_artifacts.Examples),
            ("event_anomalies", "EventAnomalies", artifacts.AnomalyReport),
        )
    }
    trained = {name: node.outputs["result"] for name, node in existing.items()}
    catalog_gen = item_catalog_gen(config)
    checks = Checks(
        "Catalog", catalog_gen.outputs["examples"], "catalog_schema", config, locations
    )
    refresher = TowerRefresher(
        towers=trained["towers"],
        transform_graph=trained["transform_graph"],
        catalog_transform_graph=trained["catalog_transform_graph"],
        catalog=catalog_gen.outputs["examples"],
        config=trained_run.config,
    )
    refresher.add_upstream_node(checks.anomaly_check)
    steps = [
        *existing.values(),
        catalog_gen,
        *checks.nodes,
        refresher,
        *_nodes_to_service(
            config,
            locations,
            Trained(
                towers=refresher.outputs["model"],
                examples=trained["examples"],
                transform_graph=trained["transform_graph"],
                event_anomalies=trained["event_anomalies"],
                config=trained_run.config,
            ),
            catalog_gen.outputs["examples"],
            checks.anomaly_check.outputs["report"],
            trained["catalog"],
        ),
    ]
    return _pipeline(config, locations, steps, metadata_connection_config, beam_args)


def sqlite_connection(path: str) -> metadata_store_pb2.ConnectionConfig:
    """Returns the connection to a metadata file."""
    return metadata.sqlite_metadata_connection_config(path)


def _pipeline(
    config: settings.HeedConfig,
    locations: Locations,
    steps: list[base_node.BaseNode],
    metadata_connection_config: metadata_store_pb2.ConnectionConfig | None,
    beam_args: tuple[str, ...],
) -> tfx_pipeline.Pipeline:
    return tfx_pipeline.Pipeline(
        pipeline_name=config.pipeline.name,
        pipeline_root=locations.artifacts,
        components=steps,
        enable_cache=config.pipeline.enable_cache,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(beam_args),
    )


@dataclasses.dataclass(frozen=True)
class Trained:
    """Channels of towers and of what they were trained with."""

    towers: types.BaseChannel
    examples: types.BaseChannel
    transform_graph: types.BaseChannel
    event_anomalies: types.BaseChannel
    config: TrainerConfig


def _nodes_to_service(
    config: settings.HeedConfig,
    locations: Locations,
    trained: Trained,
    catalog: types.BaseChannel,
    catalog_anomalies: types.BaseChannel,
    previous_catalog: types.BaseChannel | None = None,
    last_blessed: resolver.Resolver | None = None,
) -> list[base_node.BaseNode]:
    """Returns the steps from trained towers to a served model: the same for all."""
    index_builder = IndexBuilder(
        towers=trained.towers,
        examples=trained.examples,
        catalog=catalog,
        previous_catalog=previous_catalog,
        # A full run has nothing to lose: its key of the cache stays as it is.
        max_lost_items_share=config.checks.max_lost_items_share
        if previous_catalog
        else 1.0,
        index=config.index,
        run_config=trained.config.model_dump(mode="json"),
    )
    served = os.path.join(locations.serving_models, config.pipeline.name)
    # TFX shows nodes in the order in which they are made.
    last_blessed = last_blessed or _last_blessed_model()
    evaluation = Evaluation(
        examples=trained.examples,
        transform_graph=trained.transform_graph,
        model=index_builder.outputs["model"],
        baseline_model=last_blessed.outputs["model"],
        config=EvaluationConfig.of(config),
        served_models=served,
    )
    responsiveness = Responsiveness(
        examples=trained.examples,
        model=index_builder.outputs["model"],
        config=SimulationConfig.of(config),
    )
    serving_check = ServingCheck(
        examples=trained.examples,
        model=index_builder.outputs["model"],
        serving_check=config.serving_check,
    )
    gate = PromotionGate(
        model=index_builder.outputs["model"],
        evaluation=evaluation.outputs["evaluation"],
        responsiveness=responsiveness.outputs["responsiveness"],
        infra_blessing=serving_check.outputs["blessing"],
        examples=trained.examples,
        event_anomalies=trained.event_anomalies,
        catalog_anomalies=catalog_anomalies,
        baseline_model=last_blessed.outputs["model"],
        config=GateConfig.of(config),
        served_models=served,
    )
    pusher = Pusher(
        model=index_builder.outputs["model"],
        model_blessing=gate.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=served)
        ),
    )
    return [
        index_builder,
        last_blessed,
        evaluation,
        responsiveness,
        serving_check,
        gate,
        pusher,
    ]


def _last_blessed_model() -> resolver.Resolver:
    return resolver.Resolver(
        strategy_class=latest_blessed_model_strategy.LatestBlessedModelStrategy,
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("LastBlessedModel")
