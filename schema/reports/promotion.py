"""`promotion.json`: the gate's verdict, rule by rule, and the figures behind it."""

# ruff: noqa: RUF012 (pydantic copies defaults)
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainSerializer, StrictBool

from schema.reports.base import Content, Number
from schema.reports.evaluation import Metrics
from schema.reports.responsiveness import FlatEffects


class Rule(Content):
    """One rule: what was observed, what was required, and whether that is enough."""

    name: str
    observed: Number | str = None
    required: str
    passed: StrictBool
    hint: str = ""
    """What a failure most likely comes from; empty where the rule passed."""


class Figures(Content):
    """The leading figures of the reports, so that metadata tell what was measured."""

    metrics: Metrics = {}
    responsiveness: FlatEffects = {}


def _as_json(policy: Mapping[str, Any]) -> dict[str, Any]:
    # JSON has no infinity, with which a limit is switched off, and no NaN.
    return {
        key: str(value)
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for key, value in policy.items()
    }


class Grounds(Content):
    """What the gate asks by beside its policy: configuration and catalogue say it."""

    explicit_actions: tuple[str, ...] = ()
    """Simulated treatments that are explicit negative actions."""
    has_judge: bool | None = None
    """Whether users are set aside who judge."""
    catalogue: tuple[str, ...] = ()
    """Similarities that the catalogue can compare items by."""


class Promotion(Content):
    """`promotion.json`."""

    blessed: StrictBool
    rules: tuple[Rule, ...]
    model_id: str | None = None
    baseline_model_id: str | None = None
    """Of the last blessed model; None: there is none, or it is this one."""
    examples_uri: str | None = None
    figures: Figures = Figures()
    policy: Annotated[dict[str, Any], PlainSerializer(_as_json)] = {}
    """The gate's section of the configuration."""
    grounds: Grounds = Grounds()
