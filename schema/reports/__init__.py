"""The JSON reports of a run: a model for each, the file's name, and how it is read.

A step that measures builds the model and writes it; the promotion gate, the HTML report
and the studies read it. All form and range lives here, so that a figure that cannot be
is neither written nor believed:

    reports.write(path, reports.Evaluation(metrics=..., ...))
    found = reports.read(path, reports.Evaluation)  # None: no such file

Nothing heavy is imported.
"""

from __future__ import annotations

from schema.reports.anomalies import Anomalies, Comparison, Move, SplitAnomalies
from schema.reports.base import WithInterval
from schema.reports.decisions import Decision, Decisions
from schema.reports.evaluation import (
    LAST_BLESSED,
    Baseline,
    Differences,
    Evaluation,
    Interval,
    Metrics,
)
from schema.reports.experiment import Experiment, ExperimentRun, Summary
from schema.reports.files import (
    ANOMALIES_FILE,
    CATALOG_FILE,
    DECISIONS_FILE,
    EVALUATION_FILE,
    EXPERIMENT_FILE,
    INGESTION_FILE,
    PREDICTIONS_FILE,
    PROMOTION_FILE,
    RESPONSIVENESS_FILE,
    SERVING_CHECK_FILE,
    TRAINING_FILE,
    InvalidReportError,
    ReportT,
    parse,
    read,
    read_existing,
    to_json,
    write,
)
from schema.reports.ingestion import Catalog, Ingestion
from schema.reports.promotion import Figures, Promotion, Rule
from schema.reports.responsiveness import (
    CurvePoint,
    Effect,
    Example,
    Item,
    Responsiveness,
    Similarity,
    Specificity,
    effect_key,
    similarity_and_action,
)
from schema.reports.serving_check import ServingCheck
from schema.reports.training import Epoch, TrainingHistory

__all__ = [
    "ANOMALIES_FILE",
    "CATALOG_FILE",
    "DECISIONS_FILE",
    "EVALUATION_FILE",
    "EXPERIMENT_FILE",
    "INGESTION_FILE",
    "LAST_BLESSED",
    "PREDICTIONS_FILE",
    "PROMOTION_FILE",
    "RESPONSIVENESS_FILE",
    "SERVING_CHECK_FILE",
    "TRAINING_FILE",
    "Anomalies",
    "Baseline",
    "Catalog",
    "Comparison",
    "CurvePoint",
    "Decision",
    "Decisions",
    "Differences",
    "Effect",
    "Epoch",
    "Evaluation",
    "Example",
    "Experiment",
    "ExperimentRun",
    "Figures",
    "Ingestion",
    "Interval",
    "InvalidReportError",
    "Item",
    "Metrics",
    "Move",
    "Promotion",
    "ReportT",
    "Responsiveness",
    "Rule",
    "ServingCheck",
    "Similarity",
    "Specificity",
    "SplitAnomalies",
    "Summary",
    "TrainingHistory",
    "WithInterval",
    "effect_key",
    "parse",
    "read",
    "read_existing",
    "similarity_and_action",
    "to_json",
    "write",
]
