"""What a dislike changes beyond the next slate: dose, decay, damage, slices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from pipeline.report.charts import error_bars, lines
from pipeline.report.sections import side_effect_findings
from pipeline.report.sections.responsiveness import SIMILARITIES, words
from pipeline.report.wording import findings, formatting, table_cells
from schema import reports

_TREATMENTS = {
    "in_a_row": "the last three items disliked, whatever they are",
    "taken_back": "disliked, and then liked after all",
    "liked_after": "disliked, and then others of the same kind liked",
}
_TAKEN_BACK = ("taken_back", "liked_after")
"""Treatments after which nothing should be left of the answer."""
_SLICES = (
    *(f"activity:{level}" for level in ("low", "middle", "high")),
    *(f"item:{kind}" for kind in ("head", "tail", "cold")),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One effect, by each similarity that was measured."""

    name: str
    cells: tuple[table_cells.Cell, ...]
    """By the similarities of the table."""
    simulations: str


@dataclasses.dataclass(frozen=True)
class SideEffects:
    """The section, ready to be shown."""

    action: str
    findings: tuple[findings.Finding, ...]
    dose_plot: str
    slice_plot: str
    similarities: tuple[str, ...]
    treatments: tuple[Row, ...]
    persistence: tuple[Row, ...]
    """Two rows for each time: beside before, and beside the control."""
    slices: tuple[Row, ...]
    slices_beside: str
    """What the slices are compared with."""


def build(content: reports.Responsiveness | None) -> SideEffects | None:
    """Returns the section; None where no explicit negative action was simulated."""
    if content is None or content.primary_action is None:
        return None
    shown = [
        name
        for name in SIMILARITIES
        if _is_measured(content.effects.get(name, {}).get(content.primary_action))
    ]
    has_net = any(
        effect.net_responsiveness is not None
        for effects in content.slices.values()
        for effect in effects.values()
    )
    of_slice = table_cells.net_change if has_net else table_cells.change
    return SideEffects(
        action=content.primary_action,
        findings=tuple(side_effect_findings.of(content, shown)),
        dose_plot=lines.dose_and_decay(
            _curves(content.dose_response, shown, "dose"),
            _curves(content.decay, shown, "decay"),
        ),
        slice_plot=_slice_plot(content, leading)
        if (leading := side_effect_findings.leading(shown))
        else "",
        similarities=tuple(words(name) for name in shown),
        treatments=tuple(_treatments(content, shown)),
        persistence=tuple(
            _row(f"{_later(name)}, {beside}", effects, shown, cell)
            for name, effects in sorted(content.persistence.items(), key=_when)
            for beside, cell in _BESIDE
        ),
        slices=tuple(
            _row(_slice_name(name), effects, shown, of_slice)
            for name, effects in content.slices.items()
        ),
        slices_beside="the slate before" if has_net else "the control",
    )


def _is_measured(effect: reports.Effect | None) -> bool:
    return effect is not None and effect.responsiveness is not None


def _treatments(content: reports.Responsiveness, shown: Sequence[str]) -> Iterator[Row]:
    """Yields what else was tried, in words, with its effect on each similarity."""
    milder = {
        action
        for by_action in content.effects.values()
        for action, effect in by_action.items()
        if action not in (content.explicit_actions or ()) and _is_measured(effect)
    }
    for action in sorted(milder):
        never = content.action_counts.get(action) == 0
        rare = " (never in the training log)" if never else ""
        effects = {
            name: content.effects[name].get(action, reports.Effect()) for name in shown
        }
        yield _row(f"{action} on top of the control{rare}", effects, shown)
    for name, effects in content.treatments.items():
        is_back = name in _TAKEN_BACK
        cell = table_cells.undone if is_back else table_cells.change
        yield _row(_TREATMENTS.get(name, name), effects, shown, cell)
    if content.replay:
        name = "real histories at their last event, nothing simulated"
        yield _row(name, content.replay, shown)


def _curves(
    by_name: Mapping[str, Sequence[reports.CurvePoint]], shown: Sequence[str], key: str
) -> list[lines.AnswerCurve]:
    return [
        lines.AnswerCurve(
            words(name),
            {
                getattr(point, key): error_bars.point(point)
                for point in by_name[name]
                if _is_measured(point)
            },
        )
        for name in shown
        if name in by_name
    ]


def _slice_name(name: str) -> str:
    group, _, value = name.partition(":")
    spoken = {"activity": "activity of the user", "item": "popularity of the item"}
    return f"{spoken.get(group, group)}: {value}"


def _slice_plot(content: reports.Responsiveness, similarity: str) -> str:
    """Plots one similarity beside the slate before; the known slices come first."""
    names = (*_SLICES, *sorted(set(content.slices) - set(_SLICES)))
    effects = {
        name: effect
        for name in names
        if _is_measured(effect := content.slices.get(name, {}).get(similarity))
        and effect
    }
    if not effects:
        return ""
    nets = [error_bars.point(table_cells.net(effect)) for effect in effects.values()]
    has_net = any(point.value is not None for point in nets)
    points = nets if has_net else map(error_bars.point, effects.values())
    beside = "the slate before" if has_net else "the control"
    panel = error_bars.Panel(
        title=f"Change of items of the {words(similarity)} beside {beside}, by slice",
        axis="change, %   (left of 0: the model heeds)",
        rows=tuple(_slice_name(name) for name in effects),
        series=(error_bars.Series(tuple(points)),),
        scale=100.0,
        zero_line=True,
    )
    return error_bars.side_by_side(
        [panel], "Responsiveness by slice", "responsiveness-slices"
    )


_BESIDE = (
    ("beside before", table_cells.net_change),
    ("beside the control", table_cells.change),
)
_MS_PER_DAY = 86_400_000


def _when(entry: tuple[str, object]) -> tuple[str, int]:
    """Returns the place of a time: events before gaps, the next one first."""
    kind, _, number = entry[0].partition(":")
    return kind, int(number)


def _later(name: str) -> str:
    """Returns when something was measured, in words.

    Example:
      >>> _later("events:5"), _later("gap_ms:86400000")
      ('after 5 further events', 'a day later')
    """
    kind, _, number = name.partition(":")
    if kind == "events":
        return f"after {formatting.counted(int(number), 'further event')}"
    days = int(number) / _MS_PER_DAY
    return "a day later" if days == 1.0 else f"{days:g} days later"


def _row(
    name: str,
    effects: Mapping[str, reports.Effect],
    shown: Sequence[str],
    cell: Callable[[reports.Effect, str], table_cells.Cell] = table_cells.change,
) -> Row:
    by_name = [effects.get(similarity, reports.Effect()) for similarity in shown]
    return Row(
        name=name,
        cells=tuple(cell(e, e.reason or "") for e in by_name),
        simulations=formatting.count(max((e.simulations for e in by_name), default=0)),
    )
