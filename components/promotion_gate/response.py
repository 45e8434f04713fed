"""Rules about responsiveness, what of it lasts, and what else it takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.promotion_gate import causes, demands, reach, rule, turned
from schema import reports, settings

_NOTHING = reports.Effect()
_NO_CONCENTRATION = reports.Concentration()
_NOT_AIMED = (
    "the answer takes away other things that the user likes: it is not aimed at what "
    "resembles the disliked item, or stronger than the log bears: a lower "
    "`index.user_control` needs no training"
)
_COLLAPSED = (
    "a dislike fills the slate with one thing: it collapses to a favourite, instead of "
    "leaving out what was disliked and going on as before"
)


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
        results += turned.rules(responsiveness, lasting, policy)
        results += _kept(responsiveness, primary, policy)
    for similarity in asked.collateral:
        results += _collateral(similarity, responsiveness, policy)
    if policy.max_concentration_rise is not None:
        results += [
            _various(similarity, responsiveness, policy.max_concentration_rise)
            for similarity in _finely_clustered(asked)
        ]
    if policy.min_specificity is not None:
        results += [
            _specific(similarity, responsiveness, policy.min_specificity)
            for similarity in dict.fromkeys(asked.specificity)
        ]
    if primary is not None:
        aimed = list(dict.fromkeys(asked.specificity))
        results += reach.rules(responsiveness, aimed, primary, policy)
    if asked.effects:
        results += _enough(responsiveness, asked, primary, policy)
    return results


def _enough(
    responsiveness: reports.Responsiveness,
    asked: demands.Demands,
    primary: str | None,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """An interval of a handful of simulations, or of users, is too narrow."""
    numbers = [
        responsiveness.effects.get(similarity, {}).get(action, _NOTHING).simulations
        for similarity, action in asked.effects
    ]
    lasting = [name for name, action in asked.effects if action == primary]
    if primary is not None and lasting:
        numbers.append(responsiveness.kept.get(primary, reports.Kept()).simulations)
        if {policy.max_collateral_damage, policy.max_collateral_gain} != {None}:
            numbers += [
                responsiveness.collateral.get(name, _NOTHING).simulations
                for name in asked.collateral
            ]
    further = [
        effects.get(name, _NOTHING).simulations
        for _, effects, _ in _situations(responsiveness, policy)
        for name in lasting
    ]
    if primary is not None and policy.max_concentration_rise is not None:
        further += [
            responsiveness.concentration.get(name, _NO_CONCENTRATION).simulations
            for name in _finely_clustered(asked)
        ]
    hint = "raise `responsiveness.simulations`, or read a log of more users"
    return [
        rule.at_least("simulations", min(numbers), policy.min_simulations, hint),
        *(
            [
                rule.at_least(
                    "simulations_in_further_situations",
                    min(further),
                    # A user has one real history.
                    policy.min_users,
                    "raise `responsiveness.probe_simulations`, or read a log of more "
                    "users",
                )
            ]
            if primary is not None and further
            else []
        ),
        rule.at_least(
            "distinct_users", responsiveness.distinct_users, policy.min_users, hint
        ),
    ]


def _immediate(
    responsiveness: reports.Responsiveness,
    similarity: str,
    action: str,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """The next slate must hold less than before, and less than after the control."""
    effect = responsiveness.effects.get(similarity, {}).get(action, _NOTHING)
    key = reports.effect_key(similarity, action)
    limit = policy.limit(similarity)
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


def _in_further_situations(
    responsiveness: reports.Responsiveness,
    similarities: Sequence[str],
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """The answer must hold later, for real histories, and for short ones."""
    # Who asks less of the next slate cannot ask more of those that follow.
    limits = [policy.max_lasting_responsiveness]
    limits += [policy.limit(similarity) for similarity in similarities]
    results = []
    for name, effects, cause in _situations(responsiveness, policy):
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


def _situations(
    responsiveness: reports.Responsiveness, policy: settings.GateSettings
) -> list[tuple[str, Mapping[str, reports.Effect], str]]:
    """Returns name, effects, and what no answer there means."""
    situations: list[tuple[str, Mapping[str, reports.Effect], str]] = [
        ("replay", responsiveness.replay, causes.SIMULATED_ONLY),
        ("short_histories", responsiveness.short_histories, causes.LONG_ONLY),
    ]
    if policy.lasting_events is not None:
        name = f"events:{policy.lasting_events}"
        found = responsiveness.persistence.get(name, {})
        situations.insert(0, (f"persistence.{name}", found, causes.FORGOTTEN))
        if policy.lasting_gap_ms is not None:
            name = f"gap_ms:{policy.lasting_gap_ms}"
            found = responsiveness.persistence.get(name, {})
            situations.insert(1, (f"persistence.{name}", found, causes.OVERNIGHT))
    return situations


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
    similarity: str,
    responsiveness: reports.Responsiveness,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """Other clusters that the user likes may neither leave the slate nor fill it."""
    effect = responsiveness.collateral.get(similarity, _NOTHING)
    name = f"collateral.{similarity}"
    most, gain = policy.max_collateral_damage, policy.max_collateral_gain
    is_empty = effect.control == 0.0 and effect.simulations > 0
    results = []
    if most is not None:
        low = f"{name} (interval low)"
        results.append(
            rule.result(low, "nothing to lose", f">= {-most:g}", True)
            if is_empty
            else rule.at_least(low, effect.low, -most, effect.reason or _NOT_AIMED)
        )
    if gain is not None:
        rise = f"{name}, as a rise (interval low)"
        results.append(
            rule.result(rise, "nothing to multiply", f"<= {gain:g}", True)
            if is_empty
            else rule.at_most(rise, effect.low, gain, effect.reason or _COLLAPSED)
        )
    return results


def _finely_clustered(asked: demands.Demands) -> list[str]:
    """Returns what must stay various: the clusters of a log are too coarse for it.

    Who likes two of them and dislikes the one is rightly left with the other.
    """
    return [name for name in asked.collateral if name in demands.CLUSTERS]


def _various(
    similarity: str, responsiveness: reports.Responsiveness, most: float
) -> reports.Rule:
    """What dislikes bring in must be as various as what there is without them."""
    found = responsiveness.concentration.get(similarity, _NO_CONCENTRATION)
    name = f"concentration.{similarity} (interval low)"
    return rule.at_most(name, found.low, most, found.reason or _COLLAPSED)


def _specific(
    similarity: str, responsiveness: reports.Responsiveness, least: float
) -> reports.Rule:
    """What resembles the disliked item must leave the slate before the rest does."""
    found = responsiveness.specificity.get(similarity, reports.Specificity())
    return rule.at_least(
        f"specificity.{similarity} (interval low)",
        found.low,
        least,
        found.reason
        or "what is unlike the disliked item leaves the slate as what resembles it "
        "does: the answer is not aimed",
    )
