"""Reads the report files of a run; a file that a failed run lacks is None."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TypeVar

import pydantic

from pipeline.report import rank_curve
from schema import errors, reports

ReportT = TypeVar("ReportT", bound=pydantic.BaseModel)
_CURE = "Run the pipeline again, or take the file away to render without it"


@dataclasses.dataclass(frozen=True)
class RunReports:
    """The files of `ROOT/reports`."""

    ingestion: reports.Ingestion
    catalog: reports.Catalog | None = None
    training: reports.TrainingHistory | None = None
    evaluation: reports.Evaluation | None = None
    predictions: dict[str, rank_curve.RankCurve] | None = None
    """Polarity of the target to how high such targets were ranked."""
    responsiveness: reports.Responsiveness | None = None
    promotion: reports.Promotion | None = None
    decisions: tuple[reports.Decision, ...] = ()
    """Verdicts and human decisions, oldest first; perhaps none."""
    experiment: reports.Experiment | None = None
    """Of `heed experiment`; a run alone has none."""

    def missing_files(self) -> tuple[str, ...]:
        """Returns the files that the run has not written, in the order of the flow."""
        by_file = {
            reports.CATALOG_FILE: self.catalog,
            reports.TRAINING_FILE: self.training,
            reports.EVALUATION_FILE: self.evaluation,
            reports.PREDICTIONS_FILE: self.predictions,
            reports.RESPONSIVENESS_FILE: self.responsiveness,
            reports.PROMOTION_FILE: self.promotion,
        }
        return tuple(file for file, content in by_file.items() if content is None)


def read(root: pathlib.Path) -> RunReports:
    """Returns the reports of a run.

    Args:
      root: the run's directory, which holds `reports/`.

    Raises:
      InputError: `ingestion.json` is missing, or a file is not what its name says.
    """
    folder = root / "reports"
    ingestion = _read(folder / reports.INGESTION_FILE, reports.Ingestion)
    if ingestion is None:
        raise errors.InputError(
            f"expected {folder / reports.INGESTION_FILE}, which every run writes "
            f"first, and found no such file; is `--root` the directory of a run? "
            f"`heed run --root {root}` makes one"
        )
    predictions_path = folder / reports.PREDICTIONS_FILE
    decisions = _read(folder / reports.DECISIONS_FILE, reports.Decisions)
    return RunReports(
        ingestion=ingestion,
        catalog=_read(folder / reports.CATALOG_FILE, reports.Catalog),
        training=_read(folder / reports.TRAINING_FILE, reports.TrainingHistory),
        evaluation=_read(folder / reports.EVALUATION_FILE, reports.Evaluation),
        predictions=(
            rank_curve.read(predictions_path) if predictions_path.exists() else None
        ),
        responsiveness=_read(
            folder / reports.RESPONSIVENESS_FILE, reports.Responsiveness
        ),
        promotion=_read(folder / reports.PROMOTION_FILE, reports.Promotion),
        decisions=decisions.root if decisions else (),
        experiment=_read(folder / reports.EXPERIMENT_FILE, reports.Experiment),
    )


def _read(path: pathlib.Path, kind: type[ReportT]) -> ReportT | None:
    try:
        return reports.read(path, kind)
    except reports.InvalidReportError as error:
        raise errors.InputError(f"{error}. {_CURE}") from error
