"""Rules about whom an answer reaches: a mean hides who has none."""

from __future__ import annotations

from collections.abc import Sequence

from components.promotion_gate import rule
from schema import reports, settings

_KINDS = ("activity:", "item:")
"""Slices of each kind part the simulations."""
_SITUATIONS = ("next_slate", "replay", "short_histories")
_NOTHING = reports.Interval()
_PARTIAL = (
    "some users, or dislikes of some items, have no answer: look at `slices` in "
    "responsiveness.json for whom"
)


def rules(
    responsiveness: reports.Responsiveness,
    similarities: Sequence[str],
    action: str,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """Returns the rules about `unheard` and `slices`.

    Who asks less of all cannot ask more of each.

    Args:
      responsiveness: the report.
      similarities: by which the answer is looked at.
      action: the primary one, which both blocks are about.
      policy: the gate's section.
    """
    results = []
    for similarity in similarities:
        if policy.limit(similarity) >= 0.0:
            continue  # no answer is asked of anybody
        whole = responsiveness.effects.get(similarity, {}).get(action)
        simulations = whole.simulations if whole else 0
        if policy.max_unheard is not None:
            results.append(_unheard(responsiveness, similarity, policy.max_unheard))
        if policy.max_slice_responsiveness is not None:
            results.append(_slices(responsiveness, similarity, simulations, policy))
    return results


def _unheard(
    responsiveness: reports.Responsiveness, similarity: str, most: float
) -> reports.Rule:
    """Nowhere may too many be without an answer, and nowhere may that be unknown."""
    share = {
        name: responsiveness.unheard.get(name, {}).get(similarity, _NOTHING).value
        for name in _SITUATIONS
    }
    unknown = [name for name, value in share.items() if value is None]
    known = {name: value for name, value in share.items() if value is not None}
    worst = unknown[0] if unknown else max(known, key=lambda name: known[name])
    hint = f"{worst}: {_PARTIAL}"
    return rule.at_most(f"unheard.{similarity}", share[worst], most, hint)


def _slices(
    responsiveness: reports.Responsiveness,
    similarity: str,
    simulations: int,
    policy: settings.GateSettings,
) -> reports.Rule:
    """No slice may clearly be without an answer, and none may be missing."""
    name = f"slices.{similarity} beside control (highest interval low)"
    limit = max(policy.max_slice_responsiveness or 0.0, policy.limit(similarity))
    found = {
        part: effects.get(similarity, reports.Effect())
        for part, effects in responsiveness.slices.items()
    }
    for kind in _KINDS:
        told = sum(e.simulations for n, e in found.items() if n.startswith(kind))
        if told < max(simulations, 1):
            hint = f"slices {kind}* hold {told} of {simulations} simulations"
            return rule.at_most(name, None, limit, hint)
    # What a handful says of a slice is chance.
    large = {
        part: effect.low
        for part, effect in found.items()
        if effect.low is not None and effect.simulations >= policy.min_users
    }
    worst = max(large, key=lambda part: large[part], default=None)
    if worst is None:
        return rule.result(name, "no slice is large enough", f"<= {limit:g}", True)
    return rule.at_most(name, large[worst], limit, f"{worst}: {_PARTIAL}")
