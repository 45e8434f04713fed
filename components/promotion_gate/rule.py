"""One rule of the gate: what was seen, what was wanted, and what a failure means."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class RuleResult:
    """One rule: what was observed, what was required, and whether that is enough."""

    name: str
    observed: float | str | None
    required: str
    passed: bool
    hint: str = ""
    """What a failure most likely comes from; empty where the rule passed."""


def number(value: Any) -> float | None:
    """Returns a finite or infinite number; None for NaN and for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return None if math.isnan(value) else float(value)


def metric(content: Any, *path: str) -> Any:
    """Returns what lies at a path of nested mappings; None where it ends early."""
    found: Any = content
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def _compared(
    name: str, observed: Any, passed: bool, required: str, hint: str
) -> RuleResult:
    seen = number(observed)
    if seen is None:
        hint = hint or "nothing was measured: the report lacks the figure or it is NaN"
    return RuleResult(name, seen, required, passed, "" if passed else hint)


def at_least(name: str, observed: Any, required: float, hint: str = "") -> RuleResult:
    """Returns the rule `observed >= required`; nothing observed refuses."""
    seen = number(observed)
    passed = seen is not None and seen >= required
    return _compared(name, observed, passed, f">= {required:.4g}", hint)


def above(name: str, observed: Any, required: float, hint: str = "") -> RuleResult:
    """Returns the rule `observed > required`; nothing observed refuses."""
    seen = number(observed)
    passed = seen is not None and seen > required
    return _compared(name, observed, passed, f"> {required:.4g}", hint)


def at_most(name: str, observed: Any, required: float, hint: str = "") -> RuleResult:
    """Returns the rule `observed <= required`; nothing observed refuses."""
    seen = number(observed)
    passed = seen is not None and seen <= required
    return _compared(name, observed, passed, f"<= {required:.4g}", hint)


def equal(name: str, observed: Any, required: str | None, hint: str) -> RuleResult:
    """Returns the rule `observed == required`; two missing values are not equal."""
    passed = observed is not None and observed == required
    text = None if observed is None else str(observed)
    return RuleResult(name, text, f"== {required}", passed, "" if passed else hint)
