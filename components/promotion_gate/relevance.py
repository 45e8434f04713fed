"""Rules about relevance: absolute, against baselines, against what serves now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from components.promotion_gate import rule
from schema import settings

_K = 10
_MISMATCH = (
    "near chance: item ids and embeddings do not belong together. Look for ids "
    "shuffled in the index, a vocabulary that is off by one, or towers of two "
    "different runs"
)


def rules(
    evaluation: Mapping[str, Any],
    baseline_model_id: str | None,
    policy: settings.GateSettings,
) -> list[rule.RuleResult]:
    """Returns the rules about `evaluation.json`.

    A first-ever model has no baseline and no rule about one. An improvement and a tie
    pass; a regression refuses when the whole paired interval lies beyond what may be
    lost, so that noise alone does not refuse.

    Args:
      evaluation: content of the report; empty: missing.
      baseline_model_id: of the last blessed model; None: there is none.
      policy: the gate's section.
    """
    recall = rule.metric(evaluation, "metrics", "recall@10", "value")
    return [
        rule.at_least(
            "recall@10", recall, policy.min_recall_at_10, _recall_hint(evaluation)
        ),
        rule.at_least(
            "index_recall@10",
            rule.metric(evaluation, "metrics", "index_recall@10", "value"),
            policy.min_index_recall,
            "the index returns others than an exact search of the same embeddings: it "
            "is stale, belongs to other embeddings, or its ids are shuffled; build it "
            "again, or raise `index.recall_target`",
        ),
        *_baselines(evaluation, policy),
        *_held_out_dislikes(evaluation, policy),
        *_last_blessed(evaluation, baseline_model_id, policy),
    ]


def _recall_hint(evaluation: Mapping[str, Any]) -> str:
    recall = rule.number(rule.metric(evaluation, "metrics", "recall@10", "value"))
    candidates = rule.number(evaluation.get("candidates"))
    if recall is None:
        return ""
    if candidates and recall <= 3.0 * _K / candidates:
        return _MISMATCH
    return "the model finds too little of what users went on to like"


def _baselines(
    evaluation: Mapping[str, Any], policy: settings.GateSettings
) -> list[rule.RuleResult]:
    results = []
    for name in policy.baselines:
        entry = rule.metric(evaluation, "baselines", name, "differences", "recall@10")
        value, low, high = (rule.metric(entry, key) for key in ("value", "low", "high"))
        hint = f"the model finds no more than {name}: " + (
            _recall_hint(evaluation) or "nothing was measured"
        )
        if value == low == high == 0.0:
            hint = f"exactly what {name} finds: the model ignores the history"
        results.append(
            rule.above(
                f"recall@10_over_{name}", value, policy.min_lift_over_popularity, hint
            )
        )
    return results


def _held_out_dislikes(
    evaluation: Mapping[str, Any], policy: settings.GateSettings
) -> list[rule.RuleResult]:
    if policy.max_dislike_excess is None:
        return []
    hint = (
        "disliked items rank above liked ones: positives and negatives are exchanged, "
        "in `feedback.actions` or in the loss"
    )
    entry = rule.metric(evaluation, "metrics", "delta_ndcg@10")
    ndcg = rule.number(rule.metric(evaluation, "metrics", "ndcg@10", "value"))
    if rule.metric(entry, "high") is None:
        hint = (
            "no held-out dislike to measure on; a log without any needs "
            '`gate.max_dislike_excess` set to "none"'
        )
    return [
        rule.at_least(
            "delta_ndcg@10 (interval high)",
            rule.metric(entry, "high"),
            -policy.max_dislike_excess * (ndcg if ndcg is not None else math.nan),
            hint,
        )
    ]


def _last_blessed(
    evaluation: Mapping[str, Any],
    baseline_model_id: str | None,
    policy: settings.GateSettings,
) -> list[rule.RuleResult]:
    found = rule.metric(evaluation, "baselines", "last_blessed")
    if found is None and baseline_model_id is None:
        return []
    baseline = found or {}
    results = []
    if baseline_model_id is not None:
        results.append(
            rule.equal(
                "compared_with_the_last_blessed",
                rule.metric(baseline, "model_id"),
                baseline_model_id,
                "the evaluation compares with another model than the one blessed last, "
                "or with none; run Evaluation again",
            )
        )
    before = rule.number(rule.metric(baseline, "recall@10", "value"))
    allowed = -policy.max_recall_drop * before if before is not None else math.nan
    results.append(
        rule.at_least(
            "recall@10_drop_interval_high",
            rule.metric(baseline, "differences", "recall@10", "high"),
            allowed,
            "a regression: the whole paired interval lies below what may be lost "
            "against the last blessed model",
        )
    )
    disliked = rule.number(rule.metric(baseline, "negative_recall@10", "value"))
    if policy.max_dislike_excess is not None and disliked is not None:
        results.append(
            rule.at_most(
                "negative_recall@10_rise_interval_low",
                rule.metric(baseline, "differences", "negative_recall@10", "low"),
                policy.max_negative_recall_rise,
                "a regression: clearly more of what users went on to dislike is "
                "recommended than by the last blessed model",
            )
        )
    return results
