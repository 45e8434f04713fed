"""`experiment.json`: several arms, settings and seeds, trained on one log."""

# ruff: noqa: RUF012 (pydantic copies defaults)
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    BeforeValidator,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from schema.reports import responsiveness
from schema.reports.base import Content, Count, Number, WithInterval, _finite

REFERENCE_ARM = "none"
"""Learns from positives only; every other one is also told relative to it."""
Figure = Annotated[int | float | None, BeforeValidator(_finite)]


def net_key(similarity: str, after: str) -> str:
    """Returns the name of an answer beside the slate before.

    Args:
      similarity: of the slate to the item.
      after: the action, or the key of `persistence`.

    Example:
      >>> net_key("audience_nearest", "dislike")
      'net.audience_nearest.dislike'
    """
    return f"net.{responsiveness.effect_key(similarity, after)}"


class ExperimentRun(Content):
    """What one arm, setting and seed gave; in the file its figures lie at the top."""

    variant: str
    """The arm, and the swept settings."""
    arm: str
    swept: dict[str, str] = {}
    """`section.key` to its value."""
    seed: int
    primary_action: str | None = None
    """The dislike that the answers are mostly about; None: an older report."""
    figures: dict[str, Figure] = {}
    """Metric, or `SIMILARITY.ACTION` of the responsiveness, to its value; `net.` before
    it: beside the slate before."""

    @model_validator(mode="before")
    @classmethod
    def _gather_figures(cls, content: Any) -> Any:
        if not isinstance(content, Mapping) or "figures" in content:
            return content
        known = {key: content[key] for key in cls.model_fields if key in content}
        figures = {
            key: value
            for key, value in content.items()
            if key not in known and (value is None or isinstance(value, int | float))
        }
        return {**known, "figures": figures}

    @model_serializer(mode="wrap")
    def _spread_figures(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        return {**content, **content.pop("figures", {})}


class Summary(WithInterval):
    """A figure over the seeds of one variant; the interval is of the mean."""

    FIGURE: ClassVar[str] = "mean"

    mean: Number
    std: Number
    """None of a single seed."""
    seeds: Count
    """Those with a value."""


class Experiment(Content):
    """`experiment.json`."""

    runs: tuple[ExperimentRun, ...]
    arms: dict[str, dict[str, Summary]] = {}
    """Variant to figure to its summary; `NAME / none`: relative to that arm."""
