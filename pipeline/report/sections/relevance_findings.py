"""What the relevance figures say, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.report import rank_curve
from pipeline.report.wording import findings, formatting
from pipeline.report.wording import metric_names as metrics
from schema import reports

_SAME_SHARE = 1e-6
"""Two recalls of the same lists differ by no more than rounding."""


def build(
    evaluation: reports.Evaluation, promotion: reports.Promotion | None
) -> tuple[findings.Finding, ...]:
    """Returns the headline findings."""
    k = metrics.main_cutoff(evaluation.metrics)
    if k is None:
        return ()
    found = [_recall(evaluation, k)]
    if "last_blessed" in evaluation.baselines:
        text, judgement = _recall_beside(
            evaluation.baselines["last_blessed"], "the last blessed model", k
        )
        found.append(findings.Finding(f"Of the same items, {text}.", judgement))
    found.append(_liked_over_disliked(evaluation, k))
    found += _index(evaluation, promotion)
    return tuple(found)


def _recall(evaluation: reports.Evaluation, k: int) -> findings.Finding:
    """Returns how many liked items the model finds, beside the popularity list."""
    own = evaluation.metrics[f"recall@{k}"]
    if own.value is None:
        return findings.Finding(
            f"{formatting.DASH} {metrics.why_missing(own, 'liked')}: how many liked "
            "items the model finds cannot be said."
        )
    text = (
        f"Of the items that users went on to like, {formatting.percent(own.value)} "
        f"are among the {k} that the model recommends"
    )
    if "popularity" not in evaluation.baselines:
        return findings.Finding(f"{text}; there is nothing to compare this with.")
    beside, judgement = _recall_beside(
        evaluation.baselines["popularity"], "a plain list of popular items", k
    )
    return findings.Finding(f"{text}; {beside}.", judgement)


def _recall_beside(
    baseline: reports.Baseline, label: str, k: int
) -> tuple[str, findings.Judgement]:
    """Returns what a baseline finds, and whether this model finds more."""
    value = baseline.metrics.get(f"recall@{k}", reports.Interval()).value
    gap = baseline.differences.get(f"recall@{k}", reports.Interval())
    if value is None or gap.value is None:
        return f"{label} was not compared with it", "neutral"
    judgement = findings.judge(gap, higher_is_better=True)
    ending = {
        "good": ": this model finds clearly more",
        "bad": ": this model finds clearly fewer",
        "unclear": ", and the difference is within chance",
    }[judgement]
    return f"{label} finds {formatting.percent(value)}{ending}", judgement


def _liked_over_disliked(evaluation: reports.Evaluation, k: int) -> findings.Finding:
    negative = evaluation.metrics.get(f"negative_recall@{k}")
    delta = evaluation.metrics.get(f"delta_ndcg@{k}")
    if negative is None or negative.value is None:
        reason = metrics.why_missing(negative, "disliked")
        return findings.Finding(
            f"{formatting.DASH} {reason}: whether disliked items are recommended "
            "less cannot be said."
        )
    text = (
        f"Of the items that users went on to dislike, "
        f"{formatting.percent(negative.value)} are among these {k} (less is better)"
    )
    if delta is None or delta.value is None:
        return findings.Finding(f"{text}.")
    judgement = findings.judge(delta, higher_is_better=True)
    ending = {
        "good": "liked items are ranked clearly higher than disliked ones",
        "bad": "disliked items are ranked clearly higher than liked ones",
        "unclear": "whether liked items are ranked higher than disliked ones is "
        "within chance",
    }[judgement]
    return findings.Finding(
        f"{text}; {ending} (NDCG@{k} {formatting.signed(delta.value)}).", judgement
    )


def _index(
    evaluation: reports.Evaluation, promotion: reports.Promotion | None
) -> list[findings.Finding]:
    rules = promotion.rules if promotion else ()
    passed = {rule.name: rule.passed for rule in rules}
    measured = metrics.names(evaluation.metrics, "index_recall")
    found = []
    for name, k in measured[:1]:
        value = evaluation.metrics[name].value
        judgement: findings.Judgement = "neutral"
        if name in passed:
            judgement = "good" if passed[name] else "bad"
        if value is not None:
            found.append(
                findings.Finding(
                    f"The fast index serves {formatting.percent(value, 2)} of what an "
                    f"exact search would put among the first {k}.",
                    judgement,
                )
            )
    return found


def dislikes_against(
    evaluation: reports.Evaluation, baseline: str, label: str
) -> findings.Finding:
    """Returns the sentence before the plot of differences to a baseline."""
    k = metrics.main_cutoff(evaluation.metrics)
    differences = evaluation.baselines[baseline].differences
    intro = (
        f"Each point is this model minus the {label}, on the same targets; a bar "
        "that crosses the zero line means that no difference is shown"
    )
    gap = differences.get(f"negative_recall@{k}")
    if gap is None or gap.value is None:
        return findings.Finding(f"{intro}.")
    judgement = findings.judge(gap, higher_is_better=False)
    ending = {
        "good": f"The model recommends clearly fewer disliked items than the {label}",
        "bad": f"The model recommends clearly more disliked items than the {label}",
        "unclear": "Whether it recommends fewer disliked items than the "
        f"{label} is within chance",
    }[judgement]
    return findings.Finding(f"{intro}. {ending} (first {k}).", judgement)


def ranks(
    curves: Mapping[str, rank_curve.RankCurve], evaluation: reports.Evaluation
) -> findings.Finding:
    """Returns the sentence before the rank curves.

    The served lists are counted again, independently of `evaluation.json`; where the
    two disagree, the files are not from the same run.
    """
    k = metrics.main_cutoff(evaluation.metrics)
    liked, disliked = curves.get("positive"), curves.get("negative")
    if k is not None and liked is not None and k <= rank_curve.LIST_LENGTH:
        counted, reported = liked.recall(k), evaluation.metrics[f"recall@{k}"].value
        if (
            counted is not None
            and reported is not None
            and abs(counted - reported) > _SAME_SHARE
        ):
            return findings.Finding(
                f"The served lists hold {formatting.percent(counted, 2)} of the liked "
                f"items among the first {k}, the evaluation says "
                f"{formatting.percent(reported, 2)}: predictions.parquet and "
                "evaluation.json are not from the same run.",
                "bad",
            )
    intro = "The further the liked line runs above the disliked line, the better"
    last = rank_curve.LIST_LENGTH
    shares = (
        liked.recall(last) if liked else None,
        disliked.recall(last) if disliked else None,
    )
    if shares[0] is None or shares[1] is None:
        return findings.Finding(f"{intro}.")
    judgement = _apart(
        evaluation.metrics.get(f"recall@{last}"),
        evaluation.metrics.get(f"negative_recall@{last}"),
    )
    ending = ", and their intervals overlap" if judgement == "unclear" else ""
    return findings.Finding(
        f"{intro}: the first {last} recommendations hold "
        f"{formatting.percent(shares[0])} of the liked and "
        f"{formatting.percent(shares[1])} of the disliked items{ending}.",
        judgement,
    )


def _apart(
    liked: reports.Interval | None, disliked: reports.Interval | None
) -> findings.Judgement:
    """Returns whether the interval of the liked lies wholly above the other one."""
    if liked is None or liked.low is None or liked.high is None:
        return "neutral"
    if disliked is None or disliked.low is None or disliked.high is None:
        return "neutral"
    if liked.low > disliked.high:
        return "good"
    return "bad" if liked.high < disliked.low else "unclear"
