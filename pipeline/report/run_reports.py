"""Reads the report files of a run; a file that a failed run lacks is None."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any, TypeVar

import pydantic

from pipeline.report import contents, rank_curve
from schema import errors

INGESTION_FILE = "ingestion.json"
CATALOG_FILE = "catalog.json"
TRAINING_FILE = "training_history.json"
EVALUATION_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.parquet"
RESPONSIVENESS_FILE = "responsiveness.json"
PROMOTION_FILE = "promotion.json"
DECISIONS_FILE = "decisions.json"
EXPERIMENT_FILE = "experiment.json"

Epoch = dict[str, contents.Number]
"""Epoch number, losses and validation metrics by name."""
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class RunReports:
    """The files of `ROOT/reports`."""

    ingestion: contents.Ingestion
    catalog: contents.Catalog | None = None
    training: list[Epoch] | None = None
    evaluation: contents.Evaluation | None = None
    predictions: dict[str, rank_curve.RankCurve] | None = None
    """Polarity of the target to how high such targets were ranked."""
    responsiveness: contents.Responsiveness | None = None
    promotion: contents.Promotion | None = None
    decisions: tuple[contents.Decision, ...] = ()
    """Verdicts and human decisions, oldest first; perhaps none."""
    experiment: contents.Experiment | None = None
    """Of `heed experiment`; a run alone has none."""

    def missing_files(self) -> tuple[str, ...]:
        """Returns the files that the run has not written, in the order of the flow."""
        by_file = {
            CATALOG_FILE: self.catalog,
            TRAINING_FILE: self.training,
            EVALUATION_FILE: self.evaluation,
            PREDICTIONS_FILE: self.predictions,
            RESPONSIVENESS_FILE: self.responsiveness,
            PROMOTION_FILE: self.promotion,
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
    ingestion = _read(folder / INGESTION_FILE, contents.Ingestion)
    if ingestion is None:
        raise errors.InputError(
            f"expected {folder / INGESTION_FILE}, which every run writes first, and "
            f"found no such file; is `--root` the directory of a run? "
            f"`heed run --root {root}` makes one"
        )
    predictions_path = folder / PREDICTIONS_FILE
    return RunReports(
        ingestion=ingestion,
        catalog=_read(folder / CATALOG_FILE, contents.Catalog),
        training=_read(folder / TRAINING_FILE, list[Epoch]),
        evaluation=_read(folder / EVALUATION_FILE, contents.Evaluation),
        predictions=(
            rank_curve.read(predictions_path) if predictions_path.exists() else None
        ),
        responsiveness=_read(folder / RESPONSIVENESS_FILE, contents.Responsiveness),
        promotion=_read(folder / PROMOTION_FILE, contents.Promotion),
        decisions=tuple(_read(folder / DECISIONS_FILE, list[contents.Decision]) or ()),
        experiment=_read(folder / EXPERIMENT_FILE, contents.Experiment),
    )


def _read(path: pathlib.Path, kind: type[T]) -> T | None:
    """Returns a file as `kind`; None where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise errors.InputError(
            f"{path}: expected UTF-8 text; got {error}. {_CURE}"
        ) from error
    try:
        content: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise errors.InputError(
            f"{path}, line {error.lineno}, column {error.colno}: expected JSON; "
            f"{error.msg}. {_CURE}"
        ) from error
    try:
        return pydantic.TypeAdapter(kind).validate_python(content)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise errors.InputError(
            f"{path}, key {key}: {first['msg']}; got {str(first['input'])[:80]!r}. "
            f"{_CURE}"
        ) from error


_CURE = "Run the pipeline again, or take the file away to render without it"
