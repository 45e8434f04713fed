"""`evaluation.json`: relevance and dislikes, overall, by slice, against baselines."""

# ruff: noqa: RUF012 (pydantic copies defaults)
from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails

from schema.reports.base import Content, Count, Number, WithInterval

LAST_BLESSED = "last_blessed"
"""Name of the baseline that is the last blessed model."""
_DIFFERENCES = ("delta_", "popularity_lift@")
"""Metrics that are differences of two shares."""


class Interval(WithInterval):
    """A metric with its interval and the number of targets behind it.

    The figures are None where there is no target.
    """

    FIGURE: ClassVar[str] = "value"

    value: Number = None
    count: Count = 0


def _in_range(
    metrics: dict[str, Interval], are_differences: bool
) -> dict[str, Interval]:
    """Returns the metrics.

    Raises:
      ValidationError: one that is a share is not in [0, 1], or one that is a difference
        of shares not in [-1, 1].
    """
    wrong = []
    for name, interval in metrics.items():
        lowest = -1.0 if are_differences or name.startswith(_DIFFERENCES) else 0.0
        for key in ("value", "low", "high"):
            number: float | None = getattr(interval, key)
            if number is None or lowest <= number <= 1.0:
                continue
            kind, bound = (
                ("less_than_equal", {"le": 1.0})
                if number > 1.0
                else ("greater_than_equal", {"ge": lowest})
            )
            wrong.append(
                InitErrorDetails(type=kind, loc=(name, key), input=number, ctx=bound)
            )
    if wrong:
        raise ValidationError.from_exception_data("metrics", wrong)
    return metrics


Metrics = Annotated[
    dict[str, Interval],
    AfterValidator(functools.partial(_in_range, are_differences=False)),
]
"""`NAME@K` to a share in [0, 1]; `delta_...` and `popularity_lift@K` in [-1, 1]."""
Differences = Annotated[
    dict[str, Interval],
    AfterValidator(functools.partial(_in_range, are_differences=True)),
]
"""`NAME@K` to this model's minus the other's, in [-1, 1], paired by user."""


class Baseline(Content):
    """One baseline, and the paired differences to it.

    In the file the metrics lie beside `differences`, not under a key of their own.
    """

    metrics: Metrics = {}
    differences: Differences = {}
    slice_differences: dict[str, Differences] = {}
    """The same for each slice; of the last blessed model alone."""
    model_id: str | None = None
    """Of the last blessed model."""

    @model_validator(mode="before")
    @classmethod
    def _gather_metrics(cls, content: Any) -> Any:
        if not isinstance(content, Mapping) or "metrics" in content:
            return content
        known = {key: content[key] for key in cls.model_fields if key in content}
        metrics = {key: content[key] for key in content if key not in known}
        return {**known, "metrics": metrics}

    @model_serializer(mode="wrap")
    def _spread_metrics(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        return {**content.pop("metrics", {}), **content}


class Evaluation(Content):
    """`evaluation.json`."""

    metrics: Metrics
    slices: dict[str, Metrics] = {}
    """`FEATURE:VALUE` to the metrics of its targets."""
    baselines: dict[str, Baseline] = {}
    model_id: str | None = None
    model_digest: str | None = None
    """Of all files of the model that was measured."""
    split: str | None = None
    examples_uri: str | None = None
    """What it was measured on."""
    targets: Count | None = None
    targets_withdrawn: Count | None = None
    """Targets left out: the catalogue has withdrawn their items."""
    targets_lost: Count | None = None
    """Targets that count as misses: a newer catalogue lacks their items."""
    items_lost: Count | None = None
    """Items that the catalogue of the training run had and a newer one lacks."""
    users: Count | None = None
    candidates: Count | None = None
