"""What a dislike changes beyond the next slate: dose, decay, damage, slices."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pipeline.report import contents
from pipeline.report.charts import dose_and_decay, error_bars, svg
from pipeline.report.sections import responsiveness as words
from pipeline.report.wording import findings, formatting

_TREATMENTS = {
    "in_a_row": "the last three items disliked, whatever they are",
    "taken_back": "disliked, and then liked after all",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One effect, by each similarity that was measured."""

    name: str
    cells: tuple[tuple[str, str, str], ...]
    """Change, interval, judgement; by the similarities of the table."""
    simulations: str


@dataclasses.dataclass(frozen=True)
class Sides:
    """The section, ready to be shown."""

    action: str
    findings: tuple[findings.Finding, ...]
    dose_plot: str
    slice_plot: str
    similarities: tuple[str, ...]
    treatments: tuple[Row, ...]
    slices: tuple[Row, ...]


def build(content: contents.Responsiveness | None) -> Sides | None:
    """Returns the section; None where no explicit negative action was simulated."""
    if content is None or content.primary_action is None:
        return None
    shown = [name for name in words.SIMILARITIES if _is_measured(content, name)]
    leading = shown[0] if shown else None
    treatments = {
        _milder_name(name, content.action_counts): {
            s: content.effects.get(f"{s}.{name}", contents.Effect()) for s in shown
        }
        for name in _milder(content)
    }
    treatments.update(
        {_TREATMENTS.get(k, k): effects for k, effects in content.treatments.items()}
    )
    if content.replay:
        treatments["real histories at their last event, nothing simulated"] = (
            content.replay
        )
    return Sides(
        action=content.primary_action,
        findings=tuple(_findings(content, shown)),
        dose_plot=dose_and_decay.dose_and_decay(
            _curves(content.dose_response, shown, "dose"),
            _curves(content.decay, shown, "decay"),
        ),
        slice_plot=_slice_plot(content, leading),
        similarities=tuple(words.words(name) for name in shown),
        treatments=tuple(_row(k, v, shown) for k, v in treatments.items()),
        slices=tuple(_row(_slice_name(k), v, shown) for k, v in content.slices.items()),
    )


def _is_measured(content: contents.Responsiveness, name: str) -> bool:
    effect = content.effects.get(f"{name}.{content.primary_action}")
    return effect is not None and effect.responsiveness is not None


def _milder(content: contents.Responsiveness) -> list[str]:
    explicit = content.explicit_actions or ()
    actions = {key.partition(".")[2] for key in content.effects}
    return [
        action
        for action in sorted(actions - set(explicit))
        if any(
            effect.responsiveness is not None
            for key, effect in content.effects.items()
            if key.partition(".")[2] == action
        )
    ]


def _milder_name(action: str, counts: Mapping[str, int]) -> str:
    rare = " (never in the training log)" if counts.get(action) == 0 else ""
    return f"{action} on top of the control{rare}"


def _curves(
    by_name: Mapping[str, tuple[contents.CurvePoint, ...]], shown: list[str], key: str
) -> list[dose_and_decay.Curve]:
    return [
        dose_and_decay.Curve(
            words.words(name),
            tuple(
                (getattr(point, key), point.responsiveness, point.low, point.high)
                for point in by_name[name]
                if point.responsiveness is not None
            ),
        )
        for name in shown
        if name in by_name
    ]


def _findings(
    content: contents.Responsiveness, shown: list[str]
) -> list[findings.Finding]:
    found = []
    for name in shown:
        alike = words.words(name)
        specific = content.specificity.get(name)
        if specific is not None and specific.difference is not None:
            judgement = findings.of_interval(specific.low, specific.high, True)
            found.append(
                findings.Finding(
                    f"{formatting.percent(specific.similar_removed)} of the items of "
                    f"the {alike} leave the slate, and "
                    f"{formatting.percent(specific.other_removed)} of all others: "
                    + _AIM[judgement],
                    judgement,
                )
            )
        damage = content.collateral.get(name)
        if damage is not None and damage.responsiveness is not None:
            judgement = findings.of_interval(damage.low, damage.high, True)
            found.append(
                findings.Finding(
                    f"Other things that the user likes (by {alike}) change by "
                    f"{formatting.signed_percent(damage.responsiveness)}: "
                    + _DAMAGE[judgement],
                    judgement,
                )
            )
    return found


_AIM = {
    "good": "the answer is aimed at what was disliked.",
    "bad": "the answer hits other items more than what was disliked.",
    "unclear": "the answer is not shown to be aimed at anything.",
    "neutral": "",
}
_DAMAGE = {
    "good": "they take the place of what was disliked.",
    "bad": "the dislike costs more than it was meant to.",
    "unclear": "no damage is shown.",
    "neutral": "",
}


def _slice_order(content: contents.Responsiveness) -> list[str]:
    known = [f"activity:{level}" for level in ("low", "middle", "high")]
    known += [f"item:{kind}" for kind in ("head", "tail", "cold")]
    rest = sorted(set(content.slices) - set(known))
    return [name for name in (*known, *rest) if name in content.slices]


def _slice_name(name: str) -> str:
    group, _, value = name.partition(":")
    spoken = {"activity": "activity of the user", "item": "popularity of the item"}
    return f"{spoken.get(group, group)}: {value}"


def _slice_plot(content: contents.Responsiveness, leading: str | None) -> str:
    if leading is None:
        return ""
    rows, points = [], []
    for name in _slice_order(content):
        effect = content.slices[name].get(leading, contents.Effect())
        if effect.responsiveness is not None:
            rows.append(_slice_name(name))
            points.append(
                contents.Interval(
                    value=effect.responsiveness, low=effect.low, high=effect.high
                )
            )
    if not rows:
        return ""
    series = error_bars.Series("this model", svg.MODEL, "o", tuple(points))
    return error_bars.error_bars(
        [
            error_bars.Panel(
                title=f"Change of items of the {words.words(leading)}, by slice",
                axis="change, %   (left of 0: the model heeds)",
                rows=tuple(rows),
                series=(series,),
                scale=100.0,
                zero_line=True,
            )
        ],
        "Responsiveness by slice",
        "responsiveness-slices",
    )


def _row(name: str, effects: Mapping[str, contents.Effect], shown: list[str]) -> Row:
    cells = []
    most = 0
    for similarity in shown:
        effect = effects.get(similarity, contents.Effect())
        most = max(most, effect.simulations)
        if effect.responsiveness is None:
            cells.append((formatting.DASH, effect.reason or "", "neutral"))
            continue
        cells.append(
            (
                formatting.signed_percent(effect.responsiveness),
                f"{formatting.signed_percent(effect.low)} to "
                f"{formatting.signed_percent(effect.high)}",
                findings.of_interval(effect.low, effect.high, higher_is_better=False),
            )
        )
    return Row(name, tuple(cells), formatting.count(most))
