"""Rules about responsiveness, what of it lasts, and what else it takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.promotion_gate import causes, demands, rule
from schema import reports, settings

_NOTHING = reports.Effect()


def rules(
    responsiveness: reports.Responsiveness,
    grounds: demands.Grounds,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """Returns the rules about `responsiveness.json`.

    The whole interval must lie beyond a minimum effect: a point estimate, or an
    interval that only leaves out zero, is not enough.

    Args:
      responsiveness: the report; an empty one where it is missing.
      grounds: what there is to ask by.
      policy: the gate's section.
    """
    asked = demands.of(grounds, responsiveness, policy)
    results = [*asked.told]
    for similarity, action in asked.effects:
        results += _immediate(responsiveness, similarity, action, policy)
    primary = grounds.primary_action
    lasting = [name for name, action in asked.effects if action == primary]
    if primary is not None and lasting:
        results += _in_further_situations(responsiveness, lasting, policy)
        results += _kept(responsiveness, primary, policy)
    if policy.max_collateral_damage is not None:
        results += [
            _collateral(similarity, responsiveness, policy.max_collateral_damage)
            for similarity in asked.collateral
        ]
    return results


def _immediate(
    responsiveness: reports.Responsiveness,
    similarity: str,
    action: str,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """The next slate must hold less than before, and less than after the control."""
    effect = responsiveness.effects.get(similarity, {}).get(action, _NOTHING)
    key = reports.effect_key(similarity, action)
    limit = _limit(similarity, policy)
    return [
        rule.at_most(
            f"{key} beside before (interval high)",
            effect.net_high,
            limit,
            causes.beside_before(responsiveness, similarity, action, limit),
        ),
        rule.at_most(
            f"{key} beside control (interval high)",
            effect.high,
            limit,
            causes.beside_control(responsiveness, similarity, action, limit),
        ),
    ]


def _limit(similarity: str, policy: settings.GateSettings) -> float:
    if similarity == "creator":
        return policy.max_creator_responsiveness
    return policy.max_content_responsiveness


def _in_further_situations(
    responsiveness: reports.Responsiveness,
    similarities: Sequence[str],
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """The answer must hold later, for real histories, and for short ones."""
    situations: list[tuple[str, Mapping[str, reports.Effect], str]] = [
        ("replay", responsiveness.replay, causes.SIMULATED_ONLY),
        ("short_histories", responsiveness.short_histories, causes.LONG_ONLY),
    ]
    if policy.lasting_events is not None:
        name = f"events:{policy.lasting_events}"
        found = responsiveness.persistence.get(name, {})
        situations.insert(0, (f"persistence.{name}", found, causes.FORGOTTEN))
    # Who asks less of the next slate cannot ask more of those that follow.
    limits = [policy.max_lasting_responsiveness]
    limits += [_limit(similarity, policy) for similarity in similarities]
    results = []
    for name, effects, cause in situations:
        seen = [effects.get(similarity, _NOTHING) for similarity in similarities]
        results.append(_answered(name, seen, cause, max(limits)))
        if demands.JUDGE in similarities:
            judged = effects.get(demands.JUDGE, _NOTHING)
            results.append(
                rule.at_most(
                    f"{name}.{demands.JUDGE} beside before (interval low)",
                    judged.net_low,
                    0.0,
                    causes.more(judged),
                )
            )
    return results


def _answered(
    name: str, effects: Sequence[reports.Effect], cause: str, limit: float
) -> reports.Rule:
    """One of the similarities must still be lower: what has faded may escape others.

    All must have been measured, or the one that was lost would have been the one that
    tells.
    """
    worst = next((effect for effect in effects if effect.net_high is None), None)
    highs = [effect.net_high for effect in effects if effect.net_high is not None]
    return rule.at_most(
        f"{name} beside before (lowest interval high)",
        None if worst is not None else min(highs),
        limit,
        causes.later(worst or effects[0], cause),
    )


def _kept(
    responsiveness: reports.Responsiveness, action: str, policy: settings.GateSettings
) -> list[reports.Rule]:
    """The slate must still be the user's: a new one takes away anything."""
    return [
        rule.at_least(
            f"kept.{action}",
            responsiveness.kept.get(action, reports.Kept()).of_before,
            policy.min_kept,
            "nearly the whole slate is exchanged: the answer is not aimed at what "
            "resembles the disliked item, or stronger than the log bears: a lower "
            "`index.user_control` needs no training",
        )
    ]


def _collateral(
    similarity: str, responsiveness: reports.Responsiveness, most: float
) -> reports.Rule:
    """Other clusters that the user likes may lose at most so much of their share."""
    effect = responsiveness.collateral.get(similarity, _NOTHING)
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
