"""Artifact types that TFX has no standard type for."""

from __future__ import annotations

from tfx import types


class IngestionReport(types.Artifact):
    """`ingestion.json` and the dead letters `rejected-*.jsonl.gz` of the events."""

    TYPE_NAME = "HeedIngestionReport"


class CatalogReport(types.Artifact):
    """`catalog.json` and the dead letters of the catalogue."""

    TYPE_NAME = "HeedCatalogReport"


class AnomalyReport(types.Artifact):
    """`anomalies.json`: the examples and anomalies of each split."""

    TYPE_NAME = "HeedAnomalyReport"


class ResponsivenessReport(types.Artifact):
    """`responsiveness.json`: the effect of each treatment on each similarity."""

    TYPE_NAME = "HeedResponsivenessReport"


class PromotionReport(types.Artifact):
    """`promotion.json`: the gate's verdict, rule by rule."""

    TYPE_NAME = "HeedPromotionReport"
