"""What the report files of a run hold, typed and checked.

Unknown keys are ignored and most keys may be missing, so that the report of a run
that failed early, or of another version, can still be rendered. A number that is NaN
or infinite counts as missing: there is nothing to show.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
Count = int
CountByName = dict[str, int]


class Content(BaseModel):
    """A part of a report file: immutable, lenient about keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Interval(Content):
    """A metric with its interval and the number of targets behind it."""

    value: Number = None
    low: Number = None
    high: Number = None
    count: Count = 0


Metrics = dict[str, Interval]


class Ingestion(Content):
    """`ingestion.json`."""

    events_read: Count
    events_kept: Count
    events_deduplicated: Count
    events_rejected: CountByName
    users: Count
    items: Count
    examples: CountByName
    interactions: Count | None = None
    labels: dict[str, CountByName] = {}
    split_times_ms: tuple[int, int] | None = None


class Catalog(Content):
    """`catalog.json`."""

    items_read: Count
    items_kept: Count
    duplicates: Count = 0
    items_rejected: CountByName = {}
    source: str = "items"
    with_title: Count = 0
    with_categories: Count = 0
    with_creator: Count = 0
    with_created_at: Count = 0


class Baseline(Content):
    """One baseline of `evaluation.json`, and the paired differences to it."""

    metrics: Metrics = {}
    differences: Metrics = {}
    slice_differences: dict[str, Metrics] = {}
    """The same for each slice."""
    model_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _gather_metrics(cls, content: Any) -> Any:
        # The metrics may lie beside the differences rather than under a key.
        if not isinstance(content, Mapping) or "metrics" in content:
            return content
        others = ("differences", "slice_differences", "model_id")
        metrics = {key: value for key, value in content.items() if key not in others}
        return {**content, "metrics": metrics}


class Evaluation(Content):
    """`evaluation.json`."""

    metrics: Metrics
    slices: dict[str, Metrics] = {}
    baselines: dict[str, Baseline] = {}
    model_id: str | None = None
    targets: Count | None = None
    users: Count | None = None
    candidates: Count | None = None


class Effect(Content):
    """One similarity and treatment of the simulation."""

    control: Number = None
    treatment: Number = None
    responsiveness: Number = None
    low: Number = None
    high: Number = None
    simulations: Count = 0
    reason: str | None = None


class CurvePoint(Effect):
    """One point of a curve: after so many dislikes, or so many steps later."""

    dose: Count | None = None
    decay: Count | None = None


class Specificity(Content):
    """Which share of similar, and of other, items left the slates."""

    similar_removed: Number = None
    other_removed: Number = None
    difference: Number = None
    low: Number = None
    high: Number = None
    reason: str | None = None


class Similarity(Content):
    """How one similarity was made."""

    method: str = ""
    supported: bool = True


EffectByName = dict[str, Effect]


class Item(Content):
    """An item as it was shown to a simulated user."""

    item_id: str
    title: str = ""
    categories: tuple[str, ...] = ()
    creator_id: str = ""
    action: str = ""
    """What the user did to it; only in a history."""


class Example(Content):
    """One simulated user around the branch of its history."""

    action: str
    item: Item
    history: tuple[Item, ...] = ()
    before: tuple[Item, ...] = ()
    after: tuple[Item, ...] = ()


class Responsiveness(Content):
    """`responsiveness.json`."""

    effects: dict[str, Effect] = {}
    """`SIMILARITY.ACTION` to its effect."""
    examples: tuple[Example, ...] = ()
    model_id: str | None = None
    control_action: str = "control"
    simulations: Count | None = None
    trajectory_length: Count | None = None
    slate_size: Count | None = None
    distinct_users: Count | None = None
    explicit_actions: tuple[str, ...] | None = None
    """Treatments that are explicit negative actions; None: an older report."""
    primary_action: str | None = None
    """The treatment that the blocks below are about."""
    action_counts: CountByName = {}
    """How often the training log holds each treatment."""
    similarities: dict[str, Similarity] = {}
    treatments: dict[str, EffectByName] = {}
    dose_response: dict[str, tuple[CurvePoint, ...]] = {}
    decay: dict[str, tuple[CurvePoint, ...]] = {}
    replay: EffectByName = {}
    collateral: EffectByName = {}
    specificity: dict[str, Specificity] = {}
    slices: dict[str, EffectByName] = {}
    warnings: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _gather_effects(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        effects = {key: value for key, value in content.items() if "." in key}
        return {**content, "effects": effects}


class Rule(Content):
    """One rule of the gate."""

    name: str
    observed: Number | str = None
    required: str
    passed: bool
    hint: str = ""


class Promotion(Content):
    """`promotion.json`."""

    blessed: bool
    rules: tuple[Rule, ...]
    model_id: str | None = None


class Figures(Content):
    """What a verdict keeps of the reports behind it."""

    metrics: Metrics = {}
    responsiveness: EffectByName = {}


class Decision(Content):
    """One entry of `decisions.json`: a verdict, or what people decided."""

    decision: str
    time: str
    model_id: str | None = None
    serves: bool = False
    failed: tuple[Rule, ...] = ()
    figures: Figures = Figures()
    reason: str = ""
    user: str = ""
    version: str = ""


class ExperimentRun(Content):
    """One row of `experiment.json`: what one arm, setting and seed gave."""

    variant: str
    arm: str
    seed: int
    swept: dict[str, str] = {}
    figures: dict[str, Number] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather_figures(cls, content: Any) -> Any:
        if not isinstance(content, Mapping) or "figures" in content:
            return content
        figures = {
            key: value
            for key, value in content.items()
            if key not in cls.model_fields
            and (value is None or isinstance(value, int | float))
        }
        return {**content, "figures": figures}


class Experiment(Content):
    """`experiment.json`."""

    runs: tuple[ExperimentRun, ...]
