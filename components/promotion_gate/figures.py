"""The figures that a verdict keeps, so that metadata alone tell what was measured."""

from __future__ import annotations

from typing import Any

from components.promotion_gate import rule, rules

_METRICS = (
    "recall@10",
    "ndcg@10",
    "negative_recall@10",
    "delta_ndcg@10",
    "index_recall@10",
)
_INTERVAL = ("value", "low", "high", "count")
_EFFECT = ("responsiveness", "low", "high", "control", "treatment", "simulations")


def of(evidence: rules.Evidence) -> dict[str, Any]:
    """Returns the leading figures of the reports; what is missing is left out."""
    evaluation = evidence.evaluation or {}
    responsiveness = evidence.responsiveness or {}
    metrics = {
        name: _picked(rule.metric(evaluation, "metrics", name), _INTERVAL)
        for name in _METRICS
        if rule.metric(evaluation, "metrics", name) is not None
    }
    effects = {
        key: _picked(value, _EFFECT)
        for key, value in responsiveness.items()
        if "." in key and rule.metric(value, "responsiveness") is not None
    }
    return {"metrics": metrics, "responsiveness": effects}


def _picked(entry: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    # NaN is not JSON: metadata must stay readable for any reader.
    return {
        key: rule.number(rule.metric(entry, key))
        for key in keys
        if rule.metric(entry, key) is not None
    }
