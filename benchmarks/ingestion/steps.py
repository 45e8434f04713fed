"""Times EventExampleGen, StatisticsGen and Transform as TFX runs them on one log."""

from __future__ import annotations

import importlib.resources
import pathlib
import time

from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.transform.component import Transform
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.proto import transform_pb2

from components.event_example_gen import component
from pipeline import data_steps
from pipeline import pipeline as heed_pipeline
from pipeline.runners import local, nodes
from schema import features, settings


def run(log: pathlib.Path, root: pathlib.Path, beam_args: list[str]) -> dict:
    """Returns wall and CPU seconds of each step, imports left out."""
    feedback = settings.FeedbackSettings()
    events = component.EventExampleGen(
        settings.DataSettings(events=str(log)),
        settings.EventMapping(),
        feedback,
        settings.HistorySettings(),
    )
    examples = events.outputs["examples"]
    schema = ImportSchemaGen(
        schema_file=str(importlib.resources.files("schema") / "events_schema.pbtxt")
    )
    transform = Transform(
        examples=examples,
        schema=schema.outputs["schema"],
        preprocessing_fn=data_steps.EVENTS_PREPROCESSING_FN,
        splits_config=transform_pb2.SplitsConfig(
            analyze=[features.TRAIN], transform=[features.TRAIN, features.EVAL]
        ),
        custom_config={"feedback": feedback.to_json()},
    )
    ir = nodes.compile_pipeline(
        tfx_pipeline.Pipeline(
            pipeline_name="steps",
            pipeline_root=str(root / "artifacts"),
            components=[events, StatisticsGen(examples=examples), schema, transform],
            enable_cache=False,
            metadata_connection_config=heed_pipeline.sqlite_connection(
                str(root / "metadata.sqlite")
            ),
            # As runs have it: else TFX packs itself before each step.
            beam_pipeline_args=list(
                local.beam_args(("--runner=FnApiRunner", *beam_args))
            ),
        )
    )
    nodes.set_run_id(ir, "benchmark")
    result = {}
    for node in nodes.node_ids(ir):
        wall, cpu = time.monotonic(), time.process_time()
        nodes.launch(ir, node, "benchmark")
        result[node] = {
            "work_wall_sec": round(time.monotonic() - wall, 2),
            "work_cpu_sec": round(time.process_time() - cpu, 2),
        }
    result.pop("ImportSchemaGen")
    return result
