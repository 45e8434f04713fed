"""The metrics in TFMA's own files, for the tools that read those.

`tensorflow_model_analysis.load_eval_result(DIRECTORY)` loads them, slices and
intervals included. They hold the figures of `evaluation.json`: an interval over users
and a difference of means are beyond TFMA's own aggregation of examples.
"""

from __future__ import annotations

import os

import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import json_format, wrappers_pb2
from tensorflow_model_analysis.proto import config_pb2, metrics_for_slice_pb2

from schema import reports

EVAL_CONFIG_FILE = "eval_config.json"
METRICS_FILE = "metrics-00000-of-00001.tfrecord"


def write(directory: str, report: reports.Evaluation, model_dir: str) -> None:
    """Writes TFMA's configuration and metrics files.

    Args:
      directory: where to.
      report: its metrics and slices.
      model_dir: the model that was evaluated, for display.
    """
    pairs = [name.split(":", 1) for name in report.slices]
    specs = [config_pb2.SlicingSpec()]
    specs += [config_pb2.SlicingSpec(feature_values=dict([pair])) for pair in pairs]
    run = config_pb2.EvalRun(
        eval_config=config_pb2.EvalConfig(
            model_specs=[config_pb2.ModelSpec()],
            slicing_specs=specs,
            metrics_specs=[
                config_pb2.MetricsSpec(
                    metrics=[
                        config_pb2.MetricConfig(class_name=name)
                        for name in sorted(report.metrics)
                    ]
                )
            ],
        ),
        version=tfma.__version__,
        model_locations={"": model_dir},
    )
    records = [
        _of_slice(*pair) for pair in [("", report.metrics), *report.slices.items()]
    ]
    with tf.io.gfile.GFile(os.path.join(directory, EVAL_CONFIG_FILE), "w") as file:
        file.write(json_format.MessageToJson(run))
    path = os.path.join(directory, METRICS_FILE)
    with tf.io.TFRecordWriter(path) as writer:
        for record in records:
            writer.write(record.SerializeToString(deterministic=True))


def _of_slice(
    name: str, metrics: reports.Metrics
) -> metrics_for_slice_pb2.MetricsForSlice:
    result = metrics_for_slice_pb2.MetricsForSlice()
    if name:
        column, value = name.split(":", 1)
        result.slice_key.single_slice_keys.add(
            column=column, bytes_value=value.encode()
        )
    else:
        result.slice_key.SetInParent()
    for metric, interval in sorted(metrics.items()):
        if interval.value is None:
            continue
        entry = result.metric_keys_and_values.add()
        entry.key.name = metric
        entry.value.CopyFrom(_number(interval.value))
        if interval.low is not None and interval.high is not None:
            entry.confidence_interval.lower_bound.CopyFrom(_number(interval.low))
            entry.confidence_interval.upper_bound.CopyFrom(_number(interval.high))
    count = result.metric_keys_and_values.add()
    count.key.name = "example_count"
    targets = sum(metrics[m].count for m in ("recall@10", "negative_recall@10"))
    count.value.CopyFrom(_number(targets))
    return result


def _number(value: float) -> metrics_for_slice_pb2.MetricValue:
    return metrics_for_slice_pb2.MetricValue(
        double_value=wrappers_pb2.DoubleValue(value=value)
    )
