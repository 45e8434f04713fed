"""How the training went."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pipeline.report.charts import lines
from pipeline.report.wording import findings, formatting
from schema import reports

LOSS = "loss"
LIKED = "val_ndcg@10"
DISLIKED = "val_negative_ndcg@10"


@dataclasses.dataclass(frozen=True)
class Training:
    """The section, ready to be shown."""

    summary: tuple[findings.Finding, ...]
    plot: str
    """An `<svg>` element."""


def build(history: reports.TrainingHistory | None) -> Training | None:
    """Returns the section; None where no epoch was finished."""
    if history is None or not history.root:
        return None
    epochs = history.root
    loss = _by_epoch(epochs, LOSS)
    liked, disliked = _by_epoch(epochs, LIKED), _by_epoch(epochs, DISLIKED)
    return Training(
        summary=(_loss(loss), _ranking(liked, disliked)),
        plot=lines.training_curves(loss, liked, disliked),
    )


def _by_epoch(epochs: Sequence[reports.Epoch], name: str) -> dict[int, float]:
    """Returns epoch to value, epochs without a (finite) value left out."""
    values = {}
    for place, record in enumerate(epochs, start=1):
        value = record.get(name)
        if value is not None:
            values[int(record.get("epoch") or place)] = value
    return values


def _loss(loss: dict[int, float]) -> findings.Finding:
    if not loss:
        return findings.Finding(f"{formatting.DASH} no loss was recorded.")
    number = formatting.number
    first, last = min(loss), max(loss)
    if first == last:
        return findings.Finding(
            f"There was a single epoch (loss {number(loss[first], 3)}), which says "
            "nothing about progress."
        )
    span = (
        f"from {number(loss[first], 3)} to {number(loss[last], 3)} between epoch "
        f"{first} and epoch {last}"
    )
    if loss[last] < loss[first]:
        return findings.Finding(
            f"The loss, the error that training reduces, fell {span}: the model "
            "learnt.",
            "good",
        )
    return findings.Finding(
        f"The loss, the error that training reduces, did not fall ({span}).", "bad"
    )


def _ranking(liked: dict[int, float], disliked: dict[int, float]) -> findings.Finding:
    if not liked:
        return findings.Finding(
            f"{formatting.DASH} no validation ranking was recorded: the eval split "
            "holds no liked item."
        )
    best, last = max(liked, key=lambda epoch: (liked[epoch], -epoch)), max(liked)
    text = (
        "On items held out for validation, liked ones were ranked best after epoch "
        f"{best} (NDCG@10 {formatting.number(liked[best])})"
    )
    if best in disliked:
        text += f", disliked ones then had {formatting.number(disliked[best])}"
        worse = disliked[best] >= liked[best]
        text += (
            ": disliked items are ranked no lower than liked ones"
            if worse
            else ": liked items are ranked higher, as they should be"
        )
        judgement: findings.Judgement = "bad" if worse else "good"
    else:
        judgement = "neutral"
    if best == last and len(liked) > 1:
        text += ". The last epoch was the best, so more epochs may help"
    return findings.Finding(text + ".", judgement)
