"""Artifact types that TFX has no standard type for."""

from __future__ import annotations

import os

from tfx import types

WARM_START_RECORD = os.path.join("warm_start", "record")
"""Path below the Trainer's model of what a later training starts from."""
EXACT_TWIN = "exact_twin"
"""Path below IndexBuilder's model of the same model with exact search and TensorFlow's
own operations alone."""
TRAINED_TOWERS_URI = "trained_towers_uri"
"""Custom property of a Model that is made from the Trainer's: where that one lies, and
with it the record that a later training starts from."""


def trained_towers_uri(model: types.Artifact) -> str:
    """Returns the URI of the Trainer's model behind `model`, itself if it is that."""
    if model.has_custom_property(TRAINED_TOWERS_URI):
        return str(model.get_string_custom_property(TRAINED_TOWERS_URI))
    return str(model.uri)


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
