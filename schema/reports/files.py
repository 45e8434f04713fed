"""Names of the report files, and the one way to read and write them."""

from __future__ import annotations

import json
import os
from typing import TypeVar

import pydantic

from schema import errors, files

INGESTION_FILE = "ingestion.json"
CATALOG_FILE = "catalog.json"
ANOMALIES_FILE = "anomalies.json"
TRAINING_FILE = "training_history.json"
EVALUATION_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.parquet"
RESPONSIVENESS_FILE = "responsiveness.json"
SERVING_CHECK_FILE = "serving_check.json"
PROMOTION_FILE = "promotion.json"
DECISIONS_FILE = "decisions.json"
EXPERIMENT_FILE = "experiment.json"

ReportT = TypeVar("ReportT", bound=pydantic.BaseModel)


class InvalidReportError(errors.InputError):
    """A report file that is not what its name says.

    Attributes:
      path: of the file.
      place: where in it: `key metrics.mrr.value`, `line 2, column 7`, or "".
      reason: what is wrong there.
    """

    def __init__(self, path: str, place: str, reason: str):
        self.path, self.place, self.reason = path, place, reason
        super().__init__(f"{path}{', ' if place else ''}{place}: {reason}")

    @property
    def brief(self) -> str:
        """The same without the folder, which differs from run to run."""
        place = self.place.removeprefix("key ")
        where = f"{place}: " if place else ""
        return f"not a valid {os.path.basename(self.path)}: {where}{self.reason}"


def read(path: str | os.PathLike[str], kind: type[ReportT]) -> ReportT | None:
    """Returns a report; None where there is no such file.

    Args:
      path: on this machine or on a file system that Beam knows.
      kind: the report's model; keys that it does not know are left out.

    Raises:
      InvalidReportError: the file is not UTF-8, not JSON, or does not fit the model.
    """
    try:
        return read_existing(path, kind)
    except FileNotFoundError:
        return None


def read_existing(path: str | os.PathLike[str], kind: type[ReportT]) -> ReportT:
    """Returns a report that the caller knows to be there; see `read`.

    Raises:
      FileNotFoundError: it is not.
    """
    return parse(files.read_bytes(path), kind, path)


def parse(
    content: bytes | str, kind: type[ReportT], path: str | os.PathLike[str] = ""
) -> ReportT:
    """Returns the report in JSON; see `read`. `path` is for the error alone."""
    name = os.fspath(path)
    try:
        text = content.decode() if isinstance(content, bytes) else content
        # Its errors tell line and column, which pydantic's do not.
        json.loads(text)
        return kind.model_validate_json(text, extra="ignore")
    except UnicodeDecodeError as error:
        reason = f"expected UTF-8 text; got {error}"
        raise InvalidReportError(name, "", reason) from error
    except RecursionError as error:
        raise InvalidReportError(name, "", "nested too deeply") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        reason = f"expected JSON; {error.msg}"
        raise InvalidReportError(name, place, reason) from error
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        bounds = first.get("ctx", {})
        if "le" in bounds or "ge" in bounds:
            sign = "<=" if "le" in bounds else ">="
            reason = f"must be {sign} {bounds.get('le', bounds.get('ge')):g}"
        else:
            reason = first["msg"].removeprefix("Value error, ")
        if not isinstance(first["input"], dict):
            reason += f"; got {str(first['input'])[:80]!r}"
        raise InvalidReportError(name, f"key {key}", reason) from error


def to_json(report: pydantic.BaseModel) -> str:
    """Returns the JSON of a report: sorted keys, and none that was never set."""
    content = report.model_dump(mode="json", exclude_unset=True)
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False)


def write(path: str | os.PathLike[str], report: pydantic.BaseModel) -> None:
    """Writes a report so that no half of it is seen; see `schema.files`."""
    files.write_atomically(path, to_json(report))
