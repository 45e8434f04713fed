"""How the recommendations change when a user dislikes something."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pipeline.report.charts import error_bars, svg
from pipeline.report.wording import findings, formatting, table_cells
from schema import reports

SIMILARITIES = {
    "audience": "shared audience",
    "audience_nearest": "nearest shared audience",
    "category_overlap": "shared categories",
    "content": "same categories",
    "creator": "same creator",
    "cooccurrence": "same cluster of audience",
    "neighbours": "nearest audience",
}
"""Similarity to what the items have in common; in the order of the rows, the leading
one first."""
_ITEMS = {
    "audience": "items that share its audience",
    "audience_nearest": "items nearest to it by their audience",
    "category_overlap": "items that share its categories",
    "neighbours": "its neighbours in the training log",
}
"""Similarity to what a sentence calls the items; default: items of what is common."""
PAPER = (
    ("no signal", "x", {"content": 0.0, "creator": 0.0}),
    ("feature only", "D", {"content": -22.7, "creator": -22.8}),
    ("feature + label", "s", {"content": -60.8, "creator": -64.1}),
)
"""Arm, marker, and the published change in percent after a dislike.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""
_PAPER_TREATMENT = "dislike"
Pair = tuple[str, str]
"""A similarity and the action that was simulated."""


@dataclasses.dataclass(frozen=True)
class EffectRow:
    """One similarity and treatment, ready to be shown."""

    name: str
    words: str
    before: str
    control: str
    treatment: str
    net_change: table_cells.Cell
    """Beside the slate before: what the user sees."""
    change: table_cells.Cell
    """Beside the control, as the paper compares."""
    simulations: str
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
    content: reports.Responsiveness | None,
    last_blessed: Mapping[str, Mapping[str, reports.Effect]] | None = None,
) -> Responsiveness | None:
    """Returns the section; None where nothing was simulated.

    Args:
      content: of the run.
      last_blessed: the effects of the last blessed model, to compare with.
    """
    if content is None:
        return None
    shown = {
        pair: content.effects[pair[0]][pair[1]]
        for pair in sorted(_leading(content), key=_order)
    }
    return Responsiveness(
        summary=tuple(_finding(*pair, effect) for pair, effect in shown.items()),
        plot=_plot(shown, last_blessed or {}) if shown else "",
        rows=tuple(_row(*pair, effect) for pair, effect in shown.items()),
        paper_arms=tuple(arm for arm, _, _ in PAPER),
        setting=_setting(content),
        methods=tuple(
            (words(name), _method(entry))
            for name, entry in content.similarities.items()
        ),
        warnings=content.warnings,
    )


def pairs(content: reports.Responsiveness) -> list[Pair]:
    """Returns each similarity and action that the report has an effect of."""
    return [(name, action) for name, by in content.effects.items() for action in by]


def _leading(content: reports.Responsiveness) -> list[Pair]:
    """Returns the effects of explicit negative actions; else all there are.

    Milder and positive treatments have a table of their own.
    """
    every = pairs(content)
    explicit = content.explicit_actions
    if explicit is None:
        return every
    return [(name, action) for name, action in every if action in explicit] or every


def _order(pair: Pair) -> tuple[str, int, str]:
    similarity, action = pair
    known = list(SIMILARITIES)
    place = known.index(similarity) if similarity in known else len(known)
    return (action, place, similarity)


def words(similarity: str) -> str:
    """Returns what items of a similarity have in common."""
    return SIMILARITIES.get(similarity, similarity)


def _method(made: reports.Similarity) -> str:
    """Returns how a similarity was made, and how far it can be believed."""
    read = {
        True: "; training reads it",
        False: "; training does not read it",
        None: "",
    }[made.read_by_training]
    if made.reliability is not None:
        reliability = formatting.number(made.reliability, 2)
        read += f"; its reliability, from two halves of its users, is {reliability}"
    return f"{made.method}{read}"


def items_of(similarity: str) -> str:
    """Returns what a sentence calls the items that resemble the disliked one."""
    return _ITEMS.get(similarity, f"items of the {words(similarity)}")


def _net_reason(effect: reports.Effect) -> str:
    return effect.net_reason or effect.reason or "the report gives no value"


def _reason(effect: reports.Effect) -> str:
    return effect.reason or "the report gives no value and no reason"


def _finding(similarity: str, action: str, effect: reports.Effect) -> findings.Finding:
    items = items_of(similarity)
    if effect.responsiveness == effect.low == effect.high == 0.0:
        return findings.Finding(
            f"A {action} changes nothing about {items}: the model does not see it.",
            "bad",
        )
    if effect.net_responsiveness is not None:
        return _net_finding(items, action, effect)
    if effect.responsiveness is None:
        return findings.Finding(
            f"{formatting.DASH} {items[0].upper()}{items[1:]} after a {action}: not "
            f"measured, because {_reason(effect)}."
        )
    judgement = findings.judge_answer(effect)
    direction = "fall" if effect.responsiveness < 0.0 else "rise"
    ending = {
        "good": ": the model heeds it",
        "weak": ": hardly an answer",
        "bad": ": the wrong way",
        "unclear": ", which is within chance: no answer is shown",
    }[judgement]
    return findings.Finding(
        f"After a {action}, {items} {direction} by "
        f"{formatting.percent(abs(effect.responsiveness))} "
        f"({formatting.percent(effect.control)} to "
        f"{formatting.percent(effect.treatment)} of what is recommended){ending}.",
        judgement,
    )


def _net_finding(items: str, action: str, effect: reports.Effect) -> findings.Finding:
    """Tells what the user sees who did it, and then what the paper compares."""
    net, beside_control = effect.net_responsiveness or 0.0, effect.responsiveness
    judgement = findings.judge_answer(table_cells.net(effect))
    ending = {
        "good": "",
        "weak": ": hardly an answer",
        "bad": ": the user gets more of it than without a word",
        "unclear": ", which is within chance",
    }[judgement]
    likeness = (
        f"{formatting.percent(effect.before)} before, "
        f"{formatting.percent(effect.control)} without the {action}, "
        f"{formatting.percent(effect.treatment)} with it"
    )
    control = "."
    if beside_control is not None:
        change = _direction(beside_control)
        control = f"; beside the slate without the {action} they {change}."
    return findings.Finding(
        f"After a {action}, {items} {_direction(net)} beside the slate before "
        f"({likeness}){ending}{control}",
        judgement,
    )


def _direction(change: float) -> str:
    return f"{'fall' if change < 0.0 else 'rise'} by {formatting.percent(abs(change))}"


def _published(pair: Pair) -> list[float | None]:
    similarity, action = pair
    if action != _PAPER_TREATMENT:
        return [None] * len(PAPER)
    return [figures.get(similarity) for _, _, figures in PAPER]


def _row(similarity: str, action: str, effect: reports.Effect) -> EffectRow:
    return EffectRow(
        name=f"{similarity}.{action}",
        words=f"{words(similarity)}, after a {action}",
        before=formatting.percent(effect.before),
        control=formatting.percent(effect.control),
        treatment=formatting.percent(effect.treatment),
        net_change=table_cells.net_change(effect, _net_reason(effect)),
        change=table_cells.change(effect, _reason(effect)),
        simulations=formatting.count(effect.simulations),
        paper=tuple(
            formatting.signed_percent(None if figure is None else figure / 100.0)
            for figure in _published((similarity, action))
        ),
    )


def _plot(
    shown: Mapping[Pair, reports.Effect],
    last_blessed: Mapping[str, Mapping[str, reports.Effect]],
) -> str:
    labels = [
        f"{words(similarity)}, {action}"
        + ("" if effect.responsiveness is not None else "\n(not measured)")
        for (similarity, action), effect in shown.items()
    ]
    references = []
    for place, (arm, marker, _) in enumerate(PAPER):
        by_row = {
            row: figure
            for row, pair in enumerate(shown)
            if (figure := _published(pair)[place]) is not None
        }
        if by_row:
            references.append((f"paper: {arm}", marker, by_row))
    return error_bars.responsiveness(labels, _series(shown, last_blessed), references)


def _series(
    shown: Mapping[Pair, reports.Effect],
    last_blessed: Mapping[str, Mapping[str, reports.Effect]],
) -> list[error_bars.Series]:
    """Returns what the plot draws, those without a point left out."""
    earlier = [last_blessed.get(name, {}).get(action) for name, action in shown]
    series = [
        error_bars.Series(
            tuple(map(_net_point, shown.values())), "beside the slate before"
        ),
        error_bars.Series(
            tuple(map(error_bars.point, shown.values())),
            "beside the control",
            svg.POPULARITY,
            "s",
        ),
        error_bars.Series(
            tuple(map(_net_point, earlier)),
            "last blessed model, beside the slate before",
            svg.LAST_BLESSED,
            "^",
        ),
    ]
    return [one for one in series if any(p.value is not None for p in one.points)]


def _net_point(effect: reports.Effect | None) -> error_bars.Point:
    return error_bars.point(None if effect is None else table_cells.net(effect))


def _setting(content: reports.Responsiveness) -> str:
    if content.simulations is None or content.trajectory_length is None:
        return ""
    slate = (
        f"the {content.slate_size} next recommendations"
        if content.slate_size
        else "the next recommendations"
    )
    actions = " or ".join(sorted({action for _, action in _leading(content)}))
    return (
        f"{formatting.counted(content.simulations, 'simulated user')} each take "
        f"{formatting.counted(content.trajectory_length, 'step')} through what the "
        f"model recommends. At the last step the history branches: once the user "
        f"answers with \u201c{content.control_action}\u201d, once with the same and "
        f"\u201c{actions or 'a negative action'}\u201d on top. Compared are {slate}, "
        "with one another and with those before, had the user not met the item."
    )
