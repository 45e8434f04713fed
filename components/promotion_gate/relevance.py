"""Rules about relevance: absolute, against baselines, against what serves now."""

from __future__ import annotations

import math

from components.promotion_gate import rule
from schema import reports, settings

_K = 10
_RECALL, _NEGATIVE_RECALL = f"recall@{_K}", f"negative_recall@{_K}"
_NOTHING = reports.Interval()
_MISMATCH = (
    "near chance: item ids and embeddings do not belong together. Look for ids "
    "shuffled in the index, a vocabulary that is off by one, or towers of two "
    "different runs"
)


def rules(
    evaluation: reports.Evaluation,
    baseline_model_id: str | None,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    """Returns the rules about `evaluation.json`.

    A first-ever model has no baseline and no rule about one. An improvement and a tie
    pass; a regression refuses when the whole paired interval lies beyond what may be
    lost, so that noise alone does not refuse.

    Args:
      evaluation: the report; one without metrics where it is missing.
      baseline_model_id: of the last blessed model; None: there is none.
      policy: the gate's section.
    """
    metrics = evaluation.metrics
    return [
        rule.at_least(
            "evaluated_users",
            evaluation.users,
            policy.min_users,
            "too few users have held-out interactions: a recall of a handful is "
            "chance; read a longer log, or hold out more of it (`data.split`)",
        ),
        rule.at_least(
            _RECALL,
            metrics.get(_RECALL, _NOTHING).value,
            policy.min_recall_at_10,
            _recall_hint(evaluation),
        ),
        *_over_chance(evaluation, policy),
        rule.at_least(
            f"index_recall@{_K}",
            metrics.get(f"index_recall@{_K}", _NOTHING).value,
            policy.min_index_recall,
            "the index returns others than an exact search of the same embeddings: it "
            "is stale, belongs to other embeddings, or its ids are shuffled; build it "
            "again, or raise `index.recall_target`",
        ),
        *(_over_baseline(evaluation, name, policy) for name in policy.baselines),
        *_held_out_dislikes(metrics, policy),
        *_last_blessed(evaluation, baseline_model_id, policy),
    ]


def _over_chance(
    evaluation: reports.Evaluation, policy: settings.GateSettings
) -> list[reports.Rule]:
    """A list drawn at random finds something, and answers dislikes: it is no model.

    Not asked where no recall is.
    """
    if not policy.min_recall_at_10:
        return []
    chance = min(_K / evaluation.candidates, 1.0) if evaluation.candidates else math.nan
    return [
        rule.above(
            f"{_RECALL} (interval low) over chance",
            evaluation.metrics.get(_RECALL, _NOTHING).low,
            chance,
            _MISMATCH,
        )
    ]


def _recall_hint(evaluation: reports.Evaluation) -> str:
    recall = evaluation.metrics.get(_RECALL, _NOTHING).value
    if recall is None:
        return ""
    if evaluation.candidates and recall <= 3.0 * _K / evaluation.candidates:
        return _MISMATCH
    return "the model finds too little of what users went on to like"


def _over_baseline(
    evaluation: reports.Evaluation, name: str, policy: settings.GateSettings
) -> reports.Rule:
    baseline = evaluation.baselines.get(name, reports.Baseline())
    gain = baseline.differences.get(_RECALL, _NOTHING)
    hint = f"the model finds no more than {name}: " + (
        _recall_hint(evaluation) or "nothing was measured"
    )
    if gain.value == gain.low == gain.high == 0.0:
        hint = f"exactly what {name} finds: the model ignores the history"
    return rule.above(
        f"{_RECALL}_over_{name}", gain.value, policy.min_lift_over_popularity, hint
    )


def _held_out_dislikes(
    metrics: reports.Metrics, policy: settings.GateSettings
) -> list[reports.Rule]:
    if policy.max_dislike_excess is None:
        return []
    hint = (
        "disliked items rank above liked ones: positives and negatives are exchanged, "
        "in `feedback.actions` or in the loss"
    )
    high = metrics.get(f"delta_ndcg@{_K}", _NOTHING).high
    ndcg = metrics.get(f"ndcg@{_K}", _NOTHING).value
    if high is None:
        hint = (
            "no held-out dislike to measure on; a log without any needs "
            '`gate.max_dislike_excess` set to "none"'
        )
    return [
        rule.at_least(
            f"delta_ndcg@{_K} (interval high)",
            high,
            -policy.max_dislike_excess * (ndcg if ndcg is not None else math.nan),
            hint,
        )
    ]


def _last_blessed(
    evaluation: reports.Evaluation,
    baseline_model_id: str | None,
    policy: settings.GateSettings,
) -> list[reports.Rule]:
    found = evaluation.baselines.get(reports.LAST_BLESSED)
    if found is None and baseline_model_id is None:
        return []
    baseline = found or reports.Baseline()
    results = []
    if baseline_model_id is not None:
        results.append(
            rule.equal(
                "compared_with_the_last_blessed",
                baseline.model_id,
                baseline_model_id,
                "the evaluation compares with another model than the one blessed last, "
                "or with none; run Evaluation again",
            )
        )
    before = baseline.metrics.get(_RECALL, _NOTHING).value
    allowed = -policy.max_recall_drop * before if before is not None else math.nan
    results.append(
        rule.at_least(
            f"{_RECALL}_drop_interval_high",
            baseline.differences.get(_RECALL, _NOTHING).high,
            allowed,
            "a regression: the whole paired interval lies below what may be lost "
            "against the last blessed model",
        )
    )
    disliked = baseline.metrics.get(_NEGATIVE_RECALL, _NOTHING).value
    if policy.max_dislike_excess is not None and disliked is not None:
        results.append(
            rule.at_most(
                f"{_NEGATIVE_RECALL}_rise_interval_low",
                baseline.differences.get(_NEGATIVE_RECALL, _NOTHING).low,
                policy.max_negative_recall_rise,
                "a regression: clearly more of what users went on to dislike is "
                "recommended than by the last blessed model",
            )
        )
    return results
