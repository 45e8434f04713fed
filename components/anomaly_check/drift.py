"""How far the distribution of a feature has moved between two sets of statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from schema import reports

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList


def num_examples(statistics: Statistics) -> int:
    """Returns how many examples the statistics are of."""
    return int(statistics.datasets[0].num_examples) if statistics.datasets else 0


def moves(
    statistics: Statistics, baseline: Statistics, thresholds: Mapping[str, float]
) -> dict[str, reports.Move]:
    """Returns how far each feature lies from the baseline, by name.

    Args:
      statistics: of the new examples.
      baseline: of what they are compared with.
      thresholds: largest divergence by feature; others are not compared. A feature
        that one side alone has counts as 1; one that neither has is left out.
    """
    found = _divergences(statistics, baseline, thresholds)
    for name in thresholds:
        has_values = [_has_values(each, name) for each in (statistics, baseline)]
        if not any(has_values):
            found.pop(name, None)
        elif not all(has_values):
            found[name] = 1.0
    return {
        name: move(found[name], threshold)
        for name, threshold in sorted(thresholds.items())
        if name in found
    }


def move(value: float, threshold: float) -> reports.Move:
    """Returns what became of a feature; NaN exceeds every threshold."""
    return reports.Move(value=value, threshold=threshold, allowed=value <= threshold)


def _divergences(
    statistics: Statistics, baseline: Statistics, names: Collection[str]
) -> dict[str, float]:
    """Returns the divergences that TFDV finds; of texts over the most frequent ones."""
    schema = tfdv.infer_schema(statistics)
    for feature in schema.feature:
        if feature.name in names:
            feature.drift_comparator.jensen_shannon_divergence.threshold = 0.0
    found = tfdv.validate_statistics(statistics, schema, previous_statistics=baseline)
    wanted = anomalies_pb2.DriftSkewInfo.Measurement.JENSEN_SHANNON_DIVERGENCE
    return {
        info.path.step[0]: measured.value
        for info in found.drift_skew_info
        for measured in info.drift_measurements
        if measured.type == wanted
    }


def _has_values(statistics: Statistics, name: str) -> bool:
    for dataset in statistics.datasets:
        for feature in dataset.features:
            if feature.path.step[0] == name:
                kind = feature.WhichOneof("stats")
                common = getattr(feature, kind).common_stats
                return bool(common.tot_num_values or common.num_non_missing)
    return False
