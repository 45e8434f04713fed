"""The JSON reports of a run: a model for each, the file's name, and how it is read.

A step that measures builds the model and writes it; the promotion gate, the HTML report
and the studies read it. All form and range lives here, so that a figure that cannot be
is neither written nor believed:

    reports.write(path, reports.Evaluation(metrics=..., ...))
    found = reports.read(path, reports.Evaluation)  # None: no such file

Nothing heavy is imported.
"""

from __future__ import annotations

from schema.reports.anomalies import Anomalies as Anomalies
from schema.reports.anomalies import Comparison as Comparison
from schema.reports.anomalies import Move as Move
from schema.reports.anomalies import SplitAnomalies as SplitAnomalies
from schema.reports.base import WithInterval as WithInterval
from schema.reports.decisions import Decision as Decision
from schema.reports.decisions import Decisions as Decisions
from schema.reports.evaluation import LAST_BLESSED as LAST_BLESSED
from schema.reports.evaluation import Baseline as Baseline
from schema.reports.evaluation import Differences as Differences
from schema.reports.evaluation import Evaluation as Evaluation
from schema.reports.evaluation import Interval as Interval
from schema.reports.evaluation import Metrics as Metrics
from schema.reports.experiment import REFERENCE_ARM as REFERENCE_ARM
from schema.reports.experiment import Experiment as Experiment
from schema.reports.experiment import ExperimentRun as ExperimentRun
from schema.reports.experiment import Summary as Summary
from schema.reports.experiment import net_key as net_key
from schema.reports.files import ANOMALIES_FILE as ANOMALIES_FILE
from schema.reports.files import CATALOG_FILE as CATALOG_FILE
from schema.reports.files import DECISIONS_FILE as DECISIONS_FILE
from schema.reports.files import EVALUATION_FILE as EVALUATION_FILE
from schema.reports.files import EXPERIMENT_FILE as EXPERIMENT_FILE
from schema.reports.files import INGESTION_FILE as INGESTION_FILE
from schema.reports.files import PREDICTIONS_FILE as PREDICTIONS_FILE
from schema.reports.files import PROMOTION_FILE as PROMOTION_FILE
from schema.reports.files import RESPONSIVENESS_FILE as RESPONSIVENESS_FILE
from schema.reports.files import SERVING_CHECK_FILE as SERVING_CHECK_FILE
from schema.reports.files import TRAINING_FILE as TRAINING_FILE
from schema.reports.files import InvalidReportError as InvalidReportError
from schema.reports.files import ReportT as ReportT
from schema.reports.files import parse as parse
from schema.reports.files import read as read
from schema.reports.files import read_existing as read_existing
from schema.reports.files import to_json as to_json
from schema.reports.files import write as write
from schema.reports.ingestion import Catalog as Catalog
from schema.reports.ingestion import Ingestion as Ingestion
from schema.reports.promotion import Figures as Figures
from schema.reports.promotion import Grounds as Grounds
from schema.reports.promotion import Promotion as Promotion
from schema.reports.promotion import Rule as Rule
from schema.reports.responsiveness import Concentration as Concentration
from schema.reports.responsiveness import CurvePoint as CurvePoint
from schema.reports.responsiveness import Effect as Effect
from schema.reports.responsiveness import Example as Example
from schema.reports.responsiveness import Item as Item
from schema.reports.responsiveness import Kept as Kept
from schema.reports.responsiveness import Responsiveness as Responsiveness
from schema.reports.responsiveness import Similarity as Similarity
from schema.reports.responsiveness import Specificity as Specificity
from schema.reports.responsiveness import effect_key as effect_key
from schema.reports.responsiveness import similarity_and_action as similarity_and_action
from schema.reports.serving_check import ServingCheck as ServingCheck
from schema.reports.training import Epoch as Epoch
from schema.reports.training import TrainingHistory as TrainingHistory
