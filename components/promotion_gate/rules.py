"""The promotion policy: every rule must be shown to hold, or the model is refused.

Conditions are written so that NaN and None refuse. A worse figure never turns a
refusal into a blessing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from schema import settings

RESPONSIVENESS_KINDS = ("content", "creator", "cooccurrence")


@dataclasses.dataclass(frozen=True)
class RuleResult:
    """One rule: what was observed, what was required, and whether that is enough."""

    name: str
    observed: float | str | None
    required: str
    passed: bool


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The gate's decision; blessed only if every rule passed."""

    rules: tuple[RuleResult, ...]

    @property
    def blessed(self) -> bool:
        """Whether the model may be pushed; nothing checked means no."""
        return bool(self.rules) and all(rule.passed for rule in self.rules)

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form of `promotion.json`."""
        return {
            "blessed": self.blessed,
            "rules": [dataclasses.asdict(rule) for rule in self.rules],
        }


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return None if math.isnan(value) else float(value)


def at_least(name: str, observed: Any, required: float) -> RuleResult:
    """Returns the rule `observed >= required`; nothing observed refuses."""
    number = _number(observed)
    passed = number is not None and number >= required
    return RuleResult(name, number, f">= {required:g}", passed)


def at_most(name: str, observed: Any, required: float) -> RuleResult:
    """Returns the rule `observed <= required`; nothing observed refuses."""
    number = _number(observed)
    passed = number is not None and number <= required
    return RuleResult(name, number, f"<= {required:g}", passed)


def _metric(content: Mapping[str, Any], *path: str) -> Any:
    found: Any = content
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def decide(
    evaluation: Mapping[str, Any] | None,
    responsiveness: Mapping[str, Any] | None,
    serving_check: Mapping[str, Any] | None,
    model_id: str | None,
    policy: settings.GateSettings,
) -> Verdict:
    """Returns the verdict on one model.

    Args:
      evaluation: content of `evaluation.json`; None: missing.
      responsiveness: content of `responsiveness.json`; None: missing.
      serving_check: content of `serving_check.json`; None: missing.
      model_id: of the model to be pushed; the reports must be about it.
      policy: the gate's section.
    """
    evaluation, responsiveness = evaluation or {}, responsiveness or {}
    rules = [
        _same_model("evaluation_is_of_this_model", evaluation, model_id),
        _same_model("responsiveness_is_of_this_model", responsiveness, model_id),
        at_least(
            "recall@10",
            _metric(evaluation, "metrics", "recall@10", "value"),
            policy.min_recall_at_10,
        ),
        at_least(
            "index_recall@10",
            _metric(evaluation, "metrics", "index_recall@10", "value"),
            policy.min_index_recall,
        ),
        at_least(
            "recall@10_over_popularity",
            _metric(
                evaluation,
                "baselines",
                "popularity",
                "differences",
                "recall@10",
                "value",
            ),
            policy.min_lift_over_popularity,
        ),
        *_regression(evaluation, policy),
        *_responsiveness(responsiveness, policy),
    ]
    if policy.require_serving_check:
        rules += _serving(serving_check or {}, model_id)
    return Verdict(tuple(rules))


def _same_model(
    name: str, content: Mapping[str, Any], model_id: str | None
) -> RuleResult:
    observed = content.get("model_id")
    passed = observed is not None and observed == model_id
    return RuleResult(name, observed, f"== {model_id}", passed)


def _regression(
    evaluation: Mapping[str, Any], policy: settings.GateSettings
) -> list[RuleResult]:
    """The first model has nothing to fall behind; a tie passes."""
    baseline = _metric(evaluation, "baselines", "last_blessed")
    if baseline is None:
        return []
    before = _number(_metric(baseline, "recall@10", "value"))
    high = _number(_metric(baseline, "differences", "recall@10", "high"))
    # Refused when the whole interval lies below the drop that is allowed.
    allowed = -policy.max_recall_drop * before if before is not None else math.nan
    return [at_least("recall@10_drop_interval_high", high, allowed)]


def required_similarities(
    responsiveness: Mapping[str, Any], policy: settings.GateSettings
) -> tuple[str, ...]:
    """Returns which `SIMILARITY.ACTION` must respond.

    By default those that the catalogue supports; where it supports none, the
    co-occurrence clusters, which need no catalogue. One that was simulated without
    an answer stays required: a model that shows nothing similar must not thereby
    escape the rule.
    """
    if policy.similarities is not None:
        return policy.similarities
    simulated = [
        key
        for key, value in sorted(responsiveness.items())
        if "." in key and (_number(_metric(value, "simulations")) or 0) > 0
    ]
    catalog = [k for k in simulated if k.split(".")[0] in ("content", "creator")]
    return tuple(catalog or simulated)


def _responsiveness(
    responsiveness: Mapping[str, Any], policy: settings.GateSettings
) -> list[RuleResult]:
    required = required_similarities(responsiveness, policy)
    if not required and policy.similarities is None:
        reasons = sorted(
            {str(v["reason"]) for v in responsiveness.values() if _has_reason(v)}
        )
        observed = "; ".join(reasons) or "no responsiveness report"
        return [
            RuleResult(
                "responsiveness",
                observed,
                "measured (or `gate.similarities` set to [])",
                False,
            )
        ]
    limits = {
        "content": policy.max_content_responsiveness,
        "creator": policy.max_creator_responsiveness,
        "cooccurrence": policy.max_content_responsiveness,
    }
    rules = []
    for key in required:
        limit = limits.get(key.split(".")[0], policy.max_content_responsiveness)
        high = _metric(responsiveness, key, "high")
        rules.append(at_most(f"{key} (interval high)", high, limit))
    return rules


def _has_reason(value: Any) -> bool:
    return isinstance(value, Mapping) and "reason" in value


def _serving(
    serving_check: Mapping[str, Any], model_id: str | None
) -> list[RuleResult]:
    failures = serving_check.get("failures")
    observed = "; ".join(failures) if failures else "none"
    if failures is None:
        observed = "no serving check"
    return [
        _same_model("serving_check_is_of_this_model", serving_check, model_id),
        RuleResult("serving_check_failures", observed, "none", failures == []),
    ]
