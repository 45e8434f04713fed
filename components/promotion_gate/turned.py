"""Whether an answer turns into its opposite later on.

It may fade. A model that shows more of what was disliked, once the events that other
rules ask about have passed, has only put it off.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.promotion_gate import rule
from schema import reports, settings

NAME = "persistence beside before (highest interval low)"
_TURNED = (
    "the answer turns: {at}, more of what resembles the disliked item is shown than "
    "had the user said nothing, by {similarity}"
)


def rules(
    responsiveness: reports.Responsiveness,
    similarities: Sequence[str],
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """Returns the rule over the further events and gaps that were measured.

    Not over those of `gate.lasting_events` and `gate.lasting_gap_ms`, which have rules
    of their own. No other must be there: a small catalogue has no room for twenty
    further events.

    Args:
      responsiveness: the report.
      similarities: by which an answer is asked for.
      policy: the gate's section.
    """
    asked = (f"events:{policy.lasting_events}", f"gap_ms:{policy.lasting_gap_ms}")
    seen = [
        (effect.net_low, point, similarity)
        for point, effects in responsiveness.persistence.items()
        if point not in asked
        for similarity in similarities
        if (effect := effects.get(similarity)) and effect.net_low is not None
    ]
    if not seen or policy.max_later_rise is None:
        return []
    low, point, similarity = max(seen)
    kind, _, number = point.partition(":")
    at = f"{number} {'events' if kind == 'events' else 'ms'} later"
    hint = _TURNED.format(at=at, similarity=similarity)
    return [rule.at_most(NAME, low, policy.max_later_rise, hint)]
