"""Sentences on what stays, how long an answer lasts, and what it was aimed at."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.report.sections import responsiveness
from pipeline.report.wording import findings, formatting, table_cells
from schema import reports

_PERSISTENCE = "events:5"
"""As the gate asks."""
_LEAST_AIM = 0.1
"""Of what resembles the item so much more must leave than of the rest."""
_LEAST_KEPT = 0.5
"""Share of the slate before that one dislike must leave."""
_LEADING = ("audience_nearest", "category_overlap")
"""What sentences are about, where it was measured: graded, the judge's first."""


def leading(shown: Sequence[str]) -> str:
    """Returns the similarity that single sentences and plots are about; "": none."""
    return next((name for name in _LEADING if name in shown), next(iter(shown), ""))


def of(content: reports.Responsiveness, shown: Sequence[str]) -> list[findings.Finding]:
    """Returns the sentences, what a user sees first.

    Args:
      content: of the run.
      shown: the similarities that were measured, in their order.
    """
    name = leading(shown)
    found = [
        _kept(content),
        _lasting(content, name),
        _undone(content, name, "taken_back", "is liked after all"),
        _undone(content, name, "liked_after", "is followed by likes of its kind"),
    ]
    for name in shown:
        found += [_aim(content, name), _damage(content, name)]
    return [finding for finding in found if finding is not None]


def _kept(content: reports.Responsiveness) -> findings.Finding | None:
    kept = content.kept.get(content.primary_action or "")
    if kept is None or kept.of_before is None:
        return None
    enough = kept.of_before >= _LEAST_KEPT
    return findings.Finding(
        f"{formatting.percent(kept.of_before)} of the slate before stays after a "
        f"{content.primary_action}{'' if enough else ': it exchanges most of it'}.",
        "good" if enough else "bad",
    )


def _lasting(content: reports.Responsiveness, name: str) -> findings.Finding | None:
    effect = content.persistence.get(_PERSISTENCE, {}).get(name)
    if effect is None or effect.net_responsiveness is None:
        return None
    judgement = findings.judge_answer(table_cells.net(effect))
    ending = {
        "good": "the answer lasts",
        "weak": "little of the answer is left",
        "unclear": "which is within chance: nothing of the answer is shown to be left",
        "bad": "the user gets more of it than without a word",
    }[judgement]
    return findings.Finding(
        f"Five further events later, {responsiveness.items_of(name)} are "
        f"{_more_or_fewer(effect.net_responsiveness)} beside the slate without the "
        f"{content.primary_action}: {ending}.",
        judgement,
    )


def _more_or_fewer(change: float) -> str:
    return f"{formatting.percent(abs(change))} {'fewer' if change < 0.0 else 'more'}"


def _undone(
    content: reports.Responsiveness, name: str, treatment: str, said: str
) -> findings.Finding | None:
    effect = content.treatments.get(treatment, {}).get(name)
    if effect is None or effect.responsiveness is None:
        return None
    judgement = findings.judge_undone(effect)
    ending = {
        "good": "the dislike is undone",
        "bad": "the dislike is not undone",
        "unclear": "whether the dislike is undone is within chance",
    }[judgement]
    return findings.Finding(
        f"Where the item {said}, {responsiveness.items_of(name)} are "
        f"{_more_or_fewer(effect.responsiveness)} than after likes alone: {ending}.",
        judgement,
    )


def _aim(content: reports.Responsiveness, name: str) -> findings.Finding | None:
    specific = content.specificity.get(name)
    if specific is None or specific.difference is None:
        return None
    judgement = findings.judge(specific, True)
    if judgement == "good" and specific.difference < _LEAST_AIM:
        judgement = "weak"
    ending = {
        "good": "the answer is aimed at what was disliked.",
        "weak": "nearly as many, so the answer is hardly aimed.",
        "bad": "the answer hits other items more than what was disliked.",
        "unclear": "the answer is not shown to be aimed at anything.",
    }[judgement]
    return findings.Finding(
        f"{formatting.percent(specific.similar_removed)} of the items of the "
        f"{responsiveness.words(name)} leave the slate, and "
        f"{formatting.percent(specific.other_removed)} of all others: {ending}",
        judgement,
    )


def _damage(content: reports.Responsiveness, name: str) -> findings.Finding | None:
    """Tells what a dislike does to other things that the user likes."""
    damage = content.collateral.get(name)
    if damage is None or damage.responsiveness is None:
        return None
    interval: reports.WithInterval = damage
    change, beside = damage.responsiveness, "the slate without the dislike"
    if damage.net_responsiveness is not None:
        interval = table_cells.net(damage)
        change, beside = damage.net_responsiveness, "the slate before"
    judgement = findings.judge(interval, True)
    ending = {
        "good": "they take the place of what was disliked.",
        "bad": "the dislike costs more than it was meant to.",
        "unclear": "no damage is shown.",
    }[judgement]
    return findings.Finding(
        f"Other things that the user likes (by {responsiveness.words(name)}) change by "
        f"{formatting.signed_percent(change)} beside {beside}: {ending}",
        judgement,
    )
