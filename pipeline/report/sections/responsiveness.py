"""How the recommendations change when a user dislikes something."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pipeline.report import contents
from pipeline.report.charts import error_bars
from pipeline.report.wording import findings, formatting

SIMILARITIES = {
    "content": "same categories",
    "creator": "same creator",
    "cooccurrence": "same audience",
    "neighbours": "nearest audience",
}
"""Similarity to what the items have in common; in the order of the rows."""
_PAPER_TREATMENT = "dislike"
PAPER = (
    ("no signal", "x", {"content": 0.0, "creator": 0.0}),
    ("feature only", "D", {"content": -22.7, "creator": -22.8}),
    ("feature + label", "s", {"content": -60.8, "creator": -64.1}),
)
"""Arm, marker, and the published change in percent after a dislike.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""


@dataclasses.dataclass(frozen=True)
class EffectRow:
    """One similarity and treatment, ready to be shown."""

    name: str
    words: str
    control: str
    treatment: str
    change: str
    interval: str
    reason: str
    simulations: str
    judgement: findings.Judgement
    paper: tuple[str, ...]
    """The published changes, in the order of `PAPER`."""


@dataclasses.dataclass(frozen=True)
class Responsiveness:
    """The section, ready to be shown."""

    summary: tuple[findings.Finding, ...]
    plot: str
    rows: tuple[EffectRow, ...]
    paper_arms: tuple[str, ...]
    setting: str
    methods: tuple[tuple[str, str], ...] = ()
    """Similarity in words, and how it was made."""
    warnings: tuple[str, ...] = ()


def build(
    content: contents.Responsiveness | None,
    last_blessed: Mapping[str, contents.Effect] | None = None,
) -> Responsiveness | None:
    """Returns the section; None where nothing was simulated.

    Args:
      content: of the run.
      last_blessed: the effects of the last blessed model, to compare with.
    """
    if content is None:
        return None
    keys = sorted(_leading(content), key=_order)
    rows = tuple(_row(key, content.effects[key]) for key in keys)
    return Responsiveness(
        summary=tuple(_finding(key, content.effects[key]) for key in keys),
        plot=_plot(content, keys, last_blessed or {}) if keys else "",
        rows=rows,
        paper_arms=tuple(arm for arm, _, _ in PAPER),
        setting=_setting(content),
        methods=tuple(
            (words(name), entry.method) for name, entry in content.similarities.items()
        ),
        warnings=content.warnings,
    )


def _leading(content: contents.Responsiveness) -> list[str]:
    """Returns the effects of explicit negative actions; else all there are.

    Milder and positive treatments have a table of their own.
    """
    explicit = content.explicit_actions
    chosen = [
        key
        for key in content.effects
        if explicit is None or key.partition(".")[2] in explicit
    ]
    return chosen or list(content.effects)


def _order(key: str) -> tuple[str, int, str]:
    similarity, _, action = key.partition(".")
    known = list(SIMILARITIES)
    place = known.index(similarity) if similarity in known else len(known)
    return (action, place, similarity)


def words(similarity: str) -> str:
    """Returns what items of a similarity have in common."""
    return SIMILARITIES.get(similarity, similarity)


def _reason(effect: contents.Effect) -> str:
    return effect.reason or "the report gives no value and no reason"


def _finding(key: str, effect: contents.Effect) -> findings.Finding:
    similarity, _, action = key.partition(".")
    common = words(similarity)
    if effect.responsiveness is None:
        return findings.Finding(
            f"{formatting.DASH} Items of the {common} after a {action}: not measured, "
            f"because {_reason(effect)}."
        )
    levels = (
        f"{formatting.percent(effect.control)} to "
        f"{formatting.percent(effect.treatment)} of what is recommended"
    )
    change = formatting.percent(abs(effect.responsiveness))
    if effect.responsiveness == effect.low == effect.high == 0.0:
        return findings.Finding(
            f"A {action} changes nothing about items of the {common}: the model does "
            "not see it.",
            "bad",
        )
    judgement = findings.of_interval(effect.low, effect.high, higher_is_better=False)
    if judgement == "unclear":
        direction = "fall" if effect.responsiveness < 0.0 else "rise"
        return findings.Finding(
            f"After a {action}, items of the {common} {direction} by {change} "
            f"({levels}), which is within chance: no answer is shown.",
            judgement,
        )
    direction = "fall" if judgement == "good" else "rise"
    ending = "the model heeds it" if judgement == "good" else "the wrong way"
    return findings.Finding(
        f"After a {action}, items of the {common} {direction} by {change} ({levels}): "
        f"{ending}.",
        judgement,
    )


def _published(key: str) -> list[float | None]:
    similarity, _, action = key.partition(".")
    if action != _PAPER_TREATMENT:
        return [None] * len(PAPER)
    return [figures.get(similarity) for _, _, figures in PAPER]


def _row(key: str, effect: contents.Effect) -> EffectRow:
    similarity, _, action = key.partition(".")
    measured = effect.responsiveness is not None
    low, high = effect.low, effect.high
    return EffectRow(
        name=key,
        words=f"{words(similarity)}, after a {action}",
        control=formatting.percent(effect.control),
        treatment=formatting.percent(effect.treatment),
        change=formatting.signed_percent(effect.responsiveness),
        interval=(
            f"{formatting.signed_percent(low)} to {formatting.signed_percent(high)}"
            if measured
            else ""
        ),
        reason="" if measured else _reason(effect),
        simulations=formatting.count(effect.simulations),
        judgement=findings.of_interval(low, high, higher_is_better=False),
        paper=tuple(
            formatting.DASH
            if figure is None
            else formatting.signed_percent(figure / 100.0)
            for figure in _published(key)
        ),
    )


def _plot(
    content: contents.Responsiveness,
    keys: list[str],
    last_blessed: Mapping[str, contents.Effect],
) -> str:
    labels, points = [], []
    for key in keys:
        effect = content.effects[key]
        similarity, _, action = key.partition(".")
        measured = effect.responsiveness is not None
        note = "" if measured else "\n(not measured)"
        labels.append(f"{words(similarity)}, {action}{note}")
        points.append(_point(effect))
    references = []
    for place, (arm, marker, _) in enumerate(PAPER):
        by_row = {
            row: figure
            for row, key in enumerate(keys)
            if (figure := _published(key)[place]) is not None
        }
        if by_row:
            references.append((f"paper: {arm}", marker, by_row))
    before = [_point(last_blessed.get(key, contents.Effect())) for key in keys]
    return error_bars.responsiveness(
        labels, points, references, before if last_blessed else None
    )


def _point(effect: contents.Effect) -> contents.Interval:
    return contents.Interval(
        value=effect.responsiveness, low=effect.low, high=effect.high
    )


def _setting(content: contents.Responsiveness) -> str:
    if content.simulations is None or content.trajectory_length is None:
        return ""
    slate = (
        f"the {content.slate_size} next recommendations"
        if content.slate_size
        else "the next recommendations"
    )
    actions = " or ".join(sorted({k.partition(".")[2] for k in _leading(content)}))
    return (
        f"{formatting.counted(content.simulations, 'simulated user')} each take "
        f"{formatting.counted(content.trajectory_length, 'step')} through what the "
        f"model recommends. At the last step the history branches: once the user "
        f"answers with \u201c{content.control_action}\u201d, once with the same and "
        f"\u201c{actions or 'a negative action'}\u201d on top. Compared are {slate}."
    )
