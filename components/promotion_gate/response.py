"""Rules about responsiveness and collateral damage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.promotion_gate import rule
from schema import settings

_DEAF = (
    "exactly 0: the served model does not see the action. Either the arm has no "
    "negative input (`model.negative_signal`), or the flag is lost on the way to the "
    "query tower at serving"
)
_REVERSED = (
    "more of the same after the negative action: positives and negatives are "
    "exchanged, in `feedback.actions` or in the loss"
)
_WEAK = (
    "the answer is too weak, or its interval too wide: a higher `index.user_control` "
    "(no training) or `train.similar_set_weight`, more `responsiveness.simulations`"
)


def required_similarities(
    responsiveness: Mapping[str, Any], policy: settings.GateSettings
) -> tuple[str, ...]:
    """Returns which `SIMILARITY.ACTION` must respond.

    By default those of explicit negative actions that the catalogue supports; where it
    supports none, the co-occurrence clusters, which need no catalogue. One that was
    simulated without an answer stays required: a model that shows nothing similar must
    not thereby escape the rule. A report that does not say which actions are explicit
    has all of them required.
    """
    if policy.similarities is not None:
        return policy.similarities
    explicit = responsiveness.get("explicit_actions")
    simulated = [
        key
        for key, value in sorted(responsiveness.items())
        if "." in key
        and (rule.number(rule.metric(value, "simulations")) or 0) > 0
        and (not isinstance(explicit, list) or key.partition(".")[2] in explicit)
    ]
    catalog = [
        key
        for key in simulated
        if (kind := key.partition(".")[0]) in ("content", "creator")
        and rule.metric(responsiveness, "similarities", kind, "source") != "log"
    ]
    together = [key for key in simulated if key.startswith("cooccurrence.")]
    return tuple(catalog or together or simulated)


def rules(
    responsiveness: Mapping[str, Any], policy: settings.GateSettings
) -> list[rule.RuleResult]:
    """Returns the rules about `responsiveness.json`.

    The whole interval must lie beyond a minimum effect: a point estimate, or an
    interval that only leaves out zero, is not enough.

    Args:
      responsiveness: content of the report; empty: missing.
      policy: the gate's section.
    """
    required = required_similarities(responsiveness, policy)
    if not required and policy.similarities is None:
        return [_nothing_measured(responsiveness)]
    results = []
    for key in required:
        kind = key.partition(".")[0]
        limit = (
            policy.max_creator_responsiveness
            if kind == "creator"
            else policy.max_content_responsiveness
        )
        entry = responsiveness.get(key)
        results.append(
            rule.at_most(
                f"{key} (interval high)",
                rule.metric(entry, "high"),
                limit,
                _hint(entry, rule.metric(responsiveness, "specificity", kind)),
            )
        )
    if policy.max_collateral_damage is not None:
        results += _collateral(responsiveness, required, policy.max_collateral_damage)
    return results


def _hint(entry: Any, specificity: Any) -> str:
    value, low, high = (
        rule.number(rule.metric(entry, key))
        for key in ("responsiveness", "low", "high")
    )
    if high is None:
        reason = rule.metric(entry, "reason")
        return str(reason) if reason else ""
    removed = (
        rule.number(rule.metric(specificity, key)) or 0.0
        for key in ("similar_removed", "other_removed")
    )
    if low == high == 0.0 and not any(removed):
        return _DEAF
    return _REVERSED if (value or high) > 0.0 and (low or 0.0) > 0.0 else _WEAK


def _collateral(
    responsiveness: Mapping[str, Any], required: tuple[str, ...], most: float
) -> list[rule.RuleResult]:
    """Other clusters that the user likes may lose at most so much of their share."""
    primary = responsiveness.get("primary_action")
    results = []
    for key in required:
        kind, _, action = key.partition(".")
        if action != primary or kind == "neighbours":
            continue
        entry = rule.metric(responsiveness, "collateral", kind)
        reason = rule.metric(entry, "reason")
        name = f"collateral.{kind} (interval low)"
        simulations = rule.number(rule.metric(entry, "simulations"))
        if rule.number(rule.metric(entry, "control")) == 0.0 and simulations:
            results.append(
                rule.RuleResult(name, "nothing to lose", f">= {-most:g}", True)
            )
            continue
        results.append(
            rule.at_least(
                name,
                rule.metric(entry, "low"),
                -most,
                str(reason)
                if reason
                else "the answer takes away other things that the user likes: it is "
                "not aimed at what resembles the disliked item, or stronger than "
                "the log bears: a lower `index.user_control` needs no training",
            )
        )
    return results


def _nothing_measured(responsiveness: Mapping[str, Any]) -> rule.RuleResult:
    reasons = sorted(
        {
            str(value["reason"])
            for value in responsiveness.values()
            if isinstance(value, Mapping) and "reason" in value
        }
    )
    observed = "; ".join(reasons) or "no responsiveness report"
    return rule.RuleResult(
        "responsiveness",
        observed,
        "measured (or `gate.similarities` set to [])",
        False,
        "the answer to a dislike could not be measured at all: see the reasons",
    )
