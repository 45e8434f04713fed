"""`responsiveness.json`: the effect of each treatment on each similarity."""

# ruff: noqa: RUF012 (pydantic copies defaults)
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from typing_extensions import Self

from schema.reports.base import (
    Content,
    Count,
    CountByName,
    Number,
    RelativeChange,
    Share,
    WithInterval,
    check_order,
)
from schema.reports.evaluation import Metrics


class Effect(WithInterval):
    """One similarity and treatment; figures are None where there is no answer."""

    FIGURE: ClassVar[str] = "responsiveness"

    before: Share = None
    """Mean likeness of the slate to item k, had the user not met it, without it."""
    control: Share = None
    """The same after the control."""
    treatment: Share = None
    responsiveness: RelativeChange = None
    """(treatment - control) / control: -1 where nothing similar is left."""
    net_responsiveness: RelativeChange = None
    """(treatment - before) / before: what the user sees who said so."""
    net_low: Number = None
    net_high: Number = None
    simulations: Count = 0
    reason: str | None = None
    """Why there is no answer."""
    net_reason: str | None = None
    """Why there is none beside the slate before, where there is one."""

    @model_validator(mode="after")
    def _net_is_ordered(self) -> Self:
        check_order(
            self.net_low, self.net_responsiveness, self.net_high, "net_responsiveness"
        )
        return self


EffectByName = dict[str, Effect]
"""Similarity to its effect."""


def effect_key(similarity: str, action: str) -> str:
    """Returns the public name of an effect, `SIMILARITY.ACTION`."""
    return f"{similarity}.{action}"


def similarity_and_action(key: str) -> tuple[str, str]:
    """Returns what `effect_key` was made of; actions may hold dots."""
    similarity, _, action = key.partition(".")
    return similarity, action


def _nested(content: Any) -> Any:
    if not isinstance(content, Mapping):
        return content
    found: dict[str, Any] = {}
    for key, effect in content.items():
        similarity, action = similarity_and_action(key)
        # What is nested already, as in code, has no action in its keys.
        if action:
            found.setdefault(similarity, {})[action] = effect
        else:
            found[similarity] = effect
    return found


def _flat(effects: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        effect_key(similarity, action): effect
        for similarity, by_action in effects.items()
        for action, effect in by_action.items()
    }


Effects = dict[str, dict[str, Effect]]
"""Similarity, then action, to the effect."""
FlatEffects = Annotated[
    Effects,
    BeforeValidator(_nested),
    PlainSerializer(
        lambda effects: {
            key: effect.model_dump(exclude_unset=True)
            for key, effect in _flat(effects).items()
        }
    ),
]
"""`Effects`, in the file `SIMILARITY.ACTION` to the effect."""


class CurvePoint(Effect):
    """One point of a curve: after so many dislikes, or so many steps later."""

    dose: Count | None = None
    decay: Count | None = None
    """The next slate is 1: one more than the events in between."""


class Kept(Content):
    """How much of a slate stays, in the mean over simulations."""

    of_before: Share = None
    """Share of the slate before item k that the treatment's holds."""
    of_control: Share = None
    """Share of the slate after the control that the treatment's holds."""
    simulations: Count = 0


class Specificity(WithInterval):
    """Which share of similar, and of other, items left the slates."""

    FIGURE: ClassVar[str] = "difference"

    similar_removed: Share = None
    other_removed: Share = None
    difference: Number = None
    """Similar minus other: above 0 the answer is aimed at what resembles item k."""
    reason: str | None = None
    """Why there is no answer."""


class Concentration(WithInterval):
    """Whether what dislikes bring into the slates is all of one cluster."""

    FIGURE: ClassVar[str] = "difference"

    entered: Share = None
    """Share of the pairs of items that entered a slate which share a cluster; where
    fewer than two did, as without a dislike."""
    without: Share = None
    """The same of the slates as if nothing had ever been disliked, whole or without
    item k's cluster: the larger."""
    difference: Number = None
    """Entered minus without: near 1 the slates collapse to one cluster each."""
    simulations: Count = 0
    reason: str | None = None
    """Why there is no answer."""


class Similarity(Content):
    """How one similarity was made."""

    method: str = ""
    source: str | None = None
    """`catalogue` or `log`."""
    supported: bool = True
    read_by_training: bool | None = None
    """Whether training reads what it is made of; None: an older report."""
    users: Count | None = None
    """Users whose audience it is; None: it is of no audience."""
    reliability: Number = None
    """Split-half agreement of those users, at most 1."""
    reliability_reason: str | None = None
    """Why there is none."""
    log_is_too_thin: bool | None = None
    """Whether it is of an audience that is too small to compare items by."""


class Item(Content):
    """An item as it was shown to a simulated user."""

    item_id: str
    title: str = ""
    categories: tuple[str, ...] = ()
    creator_id: str = ""
    action: str = ""
    """What the user did to it; only in a history."""
    likeness: dict[str, Share] = {}
    """Similarity to how much it resembles item k, above 0; only in a slate."""


class Example(Content):
    """One simulated user around the branch of its history."""

    action: str
    item: Item
    """Item k."""
    history: tuple[Item, ...] = ()
    before: tuple[Item, ...] = ()
    after: tuple[Item, ...] = ()
    is_beside_before: bool = False
    """Whether item k was not met in `before`; else it was given the control action."""


class Responsiveness(Content):
    """`responsiveness.json`.

    In the file the effects lie at the top, as `SIMILARITY.ACTION`.
    """

    effects: Effects = {}
    examples: tuple[Example, ...] = ()
    model_id: str | None = None
    model_digest: str | None = None
    """Of all files of the model that was measured."""
    examples_uri: str | None = None
    """What it was measured on."""
    control_action: str = "control"
    simulations: Count | None = None
    trajectory_length: Count | None = None
    """Interactions of a simulated user, item k the last."""
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
    persistence: dict[str, EffectByName] = {}
    """`events:N`, after N further events, and `gap_ms:N`, after one so much later, to
    what is left of the answer."""
    kept: dict[str, Kept] = {}
    """Treatment action, name of `treatments` or of `persistence`, to what stays."""
    unheard: dict[str, Metrics] = {}
    """`next_slate`, `replay` and `short_histories`, then similarity, to the share of
    slates that held something alike before, and no less after the primary action."""
    replay: EffectByName = {}
    """At the last event of real histories."""
    short_histories: EffectByName = {}
    """At the last of the first few events of real histories."""
    collateral: EffectByName = {}
    specificity: dict[str, Specificity] = {}
    concentration: dict[str, Concentration] = {}
    slices: dict[str, EffectByName] = {}
    warnings: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _gather_effects(cls, content: Any) -> Any:
        if not isinstance(content, Mapping) or "effects" in content:
            return content
        known = {key: content[key] for key in content if "." not in key}
        effects = {key: content[key] for key in content if key not in known}
        return {**known, "effects": _nested(effects)} if effects else known

    @model_serializer(mode="wrap")
    def _spread_effects(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        effects = _flat(content.pop("effects", {}))
        return {**content, **effects}
