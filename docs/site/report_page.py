"""Reference of the report files, from the models of `schema.reports`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pydantic

from docs.site import fields
from schema import reports

_HEAD = """# Reports

This page is written from `schema/reports/`. A run copies its reports to `ROOT/reports`.
Reports are strict JSON: what could not be measured is null, with a reason beside it.
"""
_FILES = {
    reports.INGESTION_FILE: reports.Ingestion,
    reports.CATALOG_FILE: reports.Catalog,
    reports.ANOMALIES_FILE: reports.Anomalies,
    reports.TRAINING_FILE: reports.TrainingHistory,
    reports.EVALUATION_FILE: reports.Evaluation,
    reports.RESPONSIVENESS_FILE: reports.Responsiveness,
    reports.SERVING_CHECK_FILE: reports.ServingCheck,
    reports.PROMOTION_FILE: reports.Promotion,
    reports.DECISIONS_FILE: reports.Decisions,
    reports.EXPERIMENT_FILE: reports.Experiment,
}


def render() -> str:
    """Returns the page: each file, then each model that is a part of one."""
    parts = [_HEAD]
    for name, model in _FILES.items():
        parts.append(f"## `{name}`\n")
        parts.append(_model(model))
    parts.append("## Parts\n")
    for model in _parts():
        parts.append(f"### {model.__name__}\n")
        parts.append(_model(model))
    return "\n".join(parts)


def _model(model: type[pydantic.BaseModel]) -> str:
    text = fields.says(model) + "\n"
    if issubclass(model, pydantic.RootModel):
        return text
    return text + "\n" + fields.table(model, with_defaults=False) + "\n"


def _parts() -> Iterator[type[pydantic.BaseModel]]:
    whole = set(_FILES.values())
    for _, model in inspect.getmembers(reports, inspect.isclass):
        is_model = issubclass(model, pydantic.BaseModel)
        if is_model and model not in whole and model.model_fields:
            yield model
