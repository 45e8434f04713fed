"""One rule of the gate: what was seen, what was wanted, and what a failure means."""

from __future__ import annotations

import math

from schema import reports


def result(
    name: str, observed: float | str | None, required: str, passed: bool, hint: str = ""
) -> reports.Rule:
    """Returns a rule; only one that failed keeps its hint."""
    told = {} if passed or not hint else {"hint": hint}
    return reports.Rule(
        name=name, observed=observed, required=required, passed=passed, **told
    )


def _bound(sign: str, required: float) -> str:
    """Returns what is wanted; a bound of a figure that is missing is none."""
    if math.isnan(required):
        return f"{sign} a share of a figure that is missing"
    return f"{sign} {required:.4g}"


def _compared(
    name: str, observed: float | None, passed: bool, required: str, hint: str
) -> reports.Rule:
    if observed is None or not math.isfinite(observed):
        passed = False
        hint = hint or "nothing was measured: the report lacks the figure or it is NaN"
    return result(name, observed, required, passed, hint)


def at_least(
    name: str, observed: float | None, required: float, hint: str = ""
) -> reports.Rule:
    """Returns the rule `observed >= required`; nothing observed refuses."""
    passed = observed is not None and observed >= required
    return _compared(name, observed, passed, _bound(">=", required), hint)


def above(
    name: str, observed: float | None, required: float, hint: str = ""
) -> reports.Rule:
    """Returns the rule `observed > required`; nothing observed refuses."""
    passed = observed is not None and observed > required
    return _compared(name, observed, passed, _bound(">", required), hint)


def at_most(
    name: str, observed: float | None, required: float, hint: str = ""
) -> reports.Rule:
    """Returns the rule `observed <= required`; nothing observed refuses."""
    passed = observed is not None and observed <= required
    return _compared(name, observed, passed, _bound("<=", required), hint)


def equal(
    name: str, observed: str | None, required: str | None, hint: str
) -> reports.Rule:
    """Returns the rule `observed == required`; two missing values are not equal."""
    passed = observed is not None and observed == required
    return result(name, observed, f"== {required}", passed, hint)
