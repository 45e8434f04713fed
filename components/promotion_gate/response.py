"""Rules about responsiveness and collateral damage."""

from __future__ import annotations

from components.promotion_gate import rule
from schema import reports, settings

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
    "(no training) or `model.avoidance_strength`, more `responsiveness.simulations`"
)


def required_effects(
    responsiveness: reports.Responsiveness, policy: settings.GateSettings
) -> tuple[tuple[str, str], ...]:
    """Returns which (similarity, action) must respond.

    By default those of explicit negative actions that the catalogue supports; where it
    supports none, the co-occurrence clusters, which need no catalogue. One that was
    simulated without an answer stays required: a model that shows nothing similar must
    not thereby escape the rule. A report that does not say which actions are explicit
    has all of them required.
    """
    if policy.similarities is not None:
        return tuple(reports.similarity_and_action(key) for key in policy.similarities)
    explicit = responsiveness.explicit_actions
    simulated = [
        (similarity, action)
        for similarity, by_action in sorted(responsiveness.effects.items())
        for action, effect in sorted(by_action.items())
        if effect.simulations > 0 and (explicit is None or action in explicit)
    ]
    made = responsiveness.similarities
    catalog = [
        (similarity, action)
        for similarity, action in simulated
        if similarity in ("content", "creator")
        and made.get(similarity, reports.Similarity()).source != "log"
    ]
    together = [pair for pair in simulated if pair[0] == "cooccurrence"]
    return tuple(catalog or together or simulated)


def rules(
    responsiveness: reports.Responsiveness, policy: settings.GateSettings
) -> list[reports.Rule]:
    """Returns the rules about `responsiveness.json`.

    The whole interval must lie beyond a minimum effect: a point estimate, or an
    interval that only leaves out zero, is not enough.

    Args:
      responsiveness: the report; an empty one where it is missing.
      policy: the gate's section.
    """
    required = required_effects(responsiveness, policy)
    if not required and policy.similarities is None:
        return [_nothing_measured(responsiveness)]
    results = []
    for similarity, action in required:
        limit = (
            policy.max_creator_responsiveness
            if similarity == "creator"
            else policy.max_content_responsiveness
        )
        by_action = responsiveness.effects.get(similarity, {})
        effect = by_action.get(action, reports.Effect())
        results.append(
            rule.at_most(
                f"{reports.effect_key(similarity, action)} (interval high)",
                effect.high,
                limit,
                _hint(effect, responsiveness.specificity.get(similarity)),
            )
        )
    if policy.max_collateral_damage is not None:
        results += [
            _collateral(similarity, responsiveness, policy.max_collateral_damage)
            for similarity, action in required
            if action == responsiveness.primary_action and similarity != "neighbours"
        ]
    return results


def _hint(effect: reports.Effect, specificity: reports.Specificity | None) -> str:
    value, low, high = effect.responsiveness, effect.low, effect.high
    if high is None:
        return effect.reason or ""
    removed = specificity and (specificity.similar_removed or specificity.other_removed)
    if low == high == 0.0 and not removed:
        return _DEAF
    return _REVERSED if (value or high) > 0.0 and (low or 0.0) > 0.0 else _WEAK


def _collateral(
    similarity: str, responsiveness: reports.Responsiveness, most: float
) -> reports.Rule:
    """Other clusters that the user likes may lose at most so much of their share."""
    effect = responsiveness.collateral.get(similarity, reports.Effect())
    name = f"collateral.{similarity} (interval low)"
    if effect.control == 0.0 and effect.simulations:
        return rule.result(name, "nothing to lose", f">= {-most:g}", True)
    return rule.at_least(
        name,
        effect.low,
        -most,
        effect.reason
        or "the answer takes away other things that the user likes: it is not aimed at "
        "what resembles the disliked item, or stronger than the log bears: a lower "
        "`index.user_control` needs no training",
    )


def _nothing_measured(responsiveness: reports.Responsiveness) -> reports.Rule:
    reasons = {
        effect.reason
        for by_action in responsiveness.effects.values()
        for effect in by_action.values()
        if effect.reason
    }
    return rule.result(
        "responsiveness",
        "; ".join(sorted(reasons)) or "no responsiveness report",
        "measured (or `gate.similarities` set to [])",
        False,
        "the answer to a dislike could not be measured at all: see the reasons",
    )
