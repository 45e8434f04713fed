"""Artifact types that TFX has no standard type for, and what ours carry."""

from __future__ import annotations

import hashlib
import os

import pydantic
from tfx import types
from tfx.types import standard_artifacts

from schema import files, reports

WARM_START_RECORD = os.path.join("warm_start", "record")
"""Path below the Trainer's model of what a later training starts from."""
EXACT_TWIN = "exact_twin"
"""Path below IndexBuilder's model of the same model with exact search and TensorFlow's
own operations alone."""
TRAINED_TOWERS_URI = "trained_towers_uri"
"""Custom property of a Model that is made from the Trainer's: where that one lies, and
with it the record that a later training starts from."""

_REPORT_SHA256 = "report_sha256"
"""Custom property of an artifact: the digest of the report in its folder. It lies in ML
Metadata, apart from the file, and so finds what was edited by hand, taken from another
run or damaged. Whoever can write both can change both."""


def bless(blessing: types.Artifact, is_blessed: bool) -> None:
    """Blesses or refuses as TFX's own components do: a marker file and a property.

    Args:
      blessing: ModelBlessing or InfraBlessing.
      is_blessed: the verdict.
    """
    infra = blessing.type_name == standard_artifacts.InfraBlessing.TYPE_NAME
    name = ("INFRA_" if infra else "") + ("BLESSED" if is_blessed else "NOT_BLESSED")
    files.write_atomically(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property("blessed", int(is_blessed))


def trained_towers_uri(model: types.Artifact) -> str:
    """Returns the URI of the Trainer's model behind `model`, itself if it is that."""
    if model.has_custom_property(TRAINED_TOWERS_URI):
        return str(model.get_string_custom_property(TRAINED_TOWERS_URI))
    return str(model.uri)


def write_report(
    artifact: types.Artifact, name: str, report: pydantic.BaseModel
) -> None:
    """Writes a report into the artifact's folder, and seals it.

    Args:
      artifact: holds one report.
      name: of the file.
      report: its content.
    """
    content = reports.to_json(report).encode()
    files.write_atomically(os.path.join(artifact.uri, name), content)
    artifact.set_string_custom_property(
        _REPORT_SHA256, hashlib.sha256(content).hexdigest()
    )


def read_report(
    artifact: types.Artifact, name: str, kind: type[reports.ReportT]
) -> reports.ReportT | None:
    """Returns a report as it was written; None where there is no such file.

    Args:
      artifact: holds the report.
      name: of the file.
      kind: the report's model.

    Raises:
      InvalidReportError: the file does not fit the model, was edited after it was
        written, or was never sealed.
    """
    path = os.path.join(artifact.uri, name)
    try:
        content = files.read_bytes(path)
    except FileNotFoundError:
        return None
    report = reports.parse(content, kind, path)
    if not artifact.has_custom_property(_REPORT_SHA256):
        reason = "expected its digest in the metadata: an earlier version wrote it"
        raise reports.InvalidReportError(path, "", reason)
    written = artifact.get_string_custom_property(_REPORT_SHA256)
    found = hashlib.sha256(content).hexdigest()
    if found != written:
        raise reports.InvalidReportError(
            path,
            "",
            f"edited after it was written: expected SHA-256 {written}; got {found}",
        )
    return report


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
