"""What a weak answer most likely comes from: the hints of failed rules."""

from __future__ import annotations

from schema import reports

_DEAF = (
    "exactly 0 beside the control: the served model does not see the action. Either "
    "the arm has no negative input (`model.negative_signal`), or the flag is lost on "
    "the way to the query tower at serving"
)
_HIDDEN = (
    "exactly the slate of before: the item is as if it had not been met. The dislike "
    "is hidden from the query tower, and nothing takes away what resembles it "
    "(`model.avoidance_strength`, `index.user_control`)"
)
_REVERSED = (
    "more of the same after the negative action: positives and negatives are "
    "exchanged, in `feedback.actions` or in the loss"
)
_IDENTICAL_SETS = (
    "only what has the identical category set falls; what else resembles the item does "
    "not: the answer is made of category sets alone"
)
_ASTRAY = (
    "the slate of before changes, and what leaves it resembles the item no more than "
    "what comes: the answer falls on other items. Rows and ids do not belong together: "
    "look for a vocabulary that is off between query tower, avoidance and index"
)
_PULL = (
    "less than after the control, and no less than before: the query tower moves "
    "towards what is disliked, and the answer does not outweigh it"
)
_WHATEVER = (
    "the same falls after the control: what resembles an item is taken away whatever "
    "the user does to it, and a dislike says nothing more"
)
_WEAK = (
    "the answer is too weak, or its interval too wide: a higher `index.user_control` "
    "(no training) or `model.avoidance_strength`, more `responsiveness.simulations`"
)
_MORE = "more of what its audience meets than had the user said nothing, beyond chance"
FORGOTTEN = (
    "the answer is forgotten: it holds for the next slate and not for those that "
    "follow; a higher `model.avoidance_half_life_events`"
)
OVERNIGHT = (
    "the answer is forgotten with time: it holds for the session and not for the next "
    "one; a higher `model.avoidance_half_life_days`"
)
SIMULATED_ONLY = (
    "real histories have no answer: only those of the simulation, with its own gaps, "
    "actions, values and times, have one"
)
LONG_ONLY = (
    "short histories have no answer: only long ones are heard, and a new user is not"
)


def beside_before(
    responsiveness: reports.Responsiveness, similarity: str, action: str, limit: float
) -> str:
    """Returns why an effect is no lower than the slate before.

    Args:
      responsiveness: the report.
      similarity: of the effect.
      action: of the effect.
      limit: that the interval's upper end is above.
    """
    effect = _effect(responsiveness, similarity, action)
    if effect.net_high is None:
        return effect.net_reason or effect.reason or ""
    if _is_deaf(effect, responsiveness.specificity.get(similarity)):
        return _DEAF
    kept = _kept(responsiveness, action)
    if effect.net_low == effect.net_high == 0.0 and kept == 1.0:
        return _HIDDEN
    is_lower = effect.high is not None and effect.high <= limit
    sets = _effect(responsiveness, "content", action).net_high
    if similarity != "content" and not is_lower and sets is not None and sets <= limit:
        return _IDENTICAL_SETS
    if (effect.low or 0.0) > 0.0:
        return _REVERSED
    if is_lower:
        return _PULL
    # Were it aimed, likeness would fall by a larger share than that of places lost.
    if kept is not None and (effect.net_low or 0.0) > kept - 1.0:
        return _ASTRAY
    return _WEAK


def beside_control(
    responsiveness: reports.Responsiveness, similarity: str, action: str, limit: float
) -> str:
    """Returns why an effect is no lower than after the control; see `beside_before`."""
    effect = _effect(responsiveness, similarity, action)
    is_lower = effect.net_high is not None and effect.net_high <= limit
    if is_lower and (effect.high is not None or effect.control == 0.0):
        return _WHATEVER
    if effect.high is None:
        return effect.reason or ""
    if _is_deaf(effect, responsiveness.specificity.get(similarity)):
        return _DEAF
    sets = _effect(responsiveness, "content", action).high
    if similarity != "content" and sets is not None and sets <= limit:
        return _IDENTICAL_SETS
    return _REVERSED if (effect.low or 0.0) > 0.0 else _WEAK


def later(effect: reports.Effect, cause: str) -> str:
    """Returns why there is no answer in a further situation.

    Args:
      effect: what was measured there.
      cause: what it means where something was.
    """
    return (
        effect.net_reason or effect.reason or "" if effect.net_high is None else cause
    )


def more(effect: reports.Effect) -> str:
    """Returns why the judge sees more in a further situation."""
    return later(effect, _MORE)


def _effect(
    responsiveness: reports.Responsiveness, similarity: str, action: str
) -> reports.Effect:
    return responsiveness.effects.get(similarity, {}).get(action, reports.Effect())


def _kept(responsiveness: reports.Responsiveness, action: str) -> float | None:
    return responsiveness.kept.get(action, reports.Kept()).of_before


def _is_deaf(effect: reports.Effect, specificity: reports.Specificity | None) -> bool:
    removed = specificity and (specificity.similar_removed or specificity.other_removed)
    return effect.low == effect.high == 0.0 and not removed
