"""What the gate and people decided, now and before."""

from __future__ import annotations

import dataclasses

from pipeline.report import run_reports
from pipeline.report.wording import formatting
from schema import reports

_SHOWN = 12
_SHORT_ID = 12
_NOTHING = reports.Decision(decision="", time="")
_WORDS = {
    "blessed": "blessed",
    "refused": "refused",
    "promote": "pushed by a person",
    "rollback": "rolled back by a person",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One decision, ready to be shown."""

    time: str
    decision: str
    css: str
    model: str
    recall: str
    answer: str
    why: str


@dataclasses.dataclass(frozen=True)
class History:
    """The decisions of a run's directory."""

    rows: tuple[Row, ...]
    on_this_model: tuple[str, ...]
    """What people decided about the model of the report, as sentences."""
    last_blessed: reports.Decision
    """The verdict on the model that served before this one; perhaps an empty one."""


def build(run: run_reports.RunReports) -> History:
    """Returns the history, newest first."""
    model_id = run.promotion.model_id if run.promotion else None
    return History(
        rows=tuple(_row(entry) for entry in reversed(run.decisions[-_SHOWN:])),
        on_this_model=tuple(
            _sentence(entry)
            for entry in run.decisions
            if entry.reason and entry.model_id == model_id is not None
        ),
        last_blessed=_last_blessed(run.decisions, model_id),
    )


def _last_blessed(
    decisions: tuple[reports.Decision, ...], model_id: str | None
) -> reports.Decision:
    served = [d for d in decisions if d.serves and d.model_id != model_id]
    return served[-1] if served else _NOTHING


def _sentence(entry: reports.Decision) -> str:
    what = (
        "was pushed by a person although the gate refused it"
        if entry.decision == "promote"
        else "was taken out of service by a person"
    )
    return (
        f"This model {what}: \u201c{entry.reason}\u201d ({entry.user}, "
        f"{_minute(entry.time)})."
    )


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _row(entry: reports.Decision) -> Row:
    recall = entry.figures.metrics.get("recall@10")
    effects = entry.figures.responsiveness
    answer = effects.get("content", {}).get("dislike")
    if answer is None:
        in_order = (effects[s][a] for s in sorted(effects) for a in sorted(effects[s]))
        answer = next(in_order, reports.Effect())
    why = entry.reason and f"\u201c{entry.reason}\u201d ({entry.user})"
    return Row(
        time=_minute(entry.time),
        decision=_WORDS.get(entry.decision, entry.decision),
        css={"blessed": "passed", "refused": "failed"}.get(entry.decision, ""),
        model=(entry.model_id or formatting.DASH)[:_SHORT_ID],
        recall=formatting.number(recall.value if recall else None),
        answer=formatting.signed_percent(answer.responsiveness),
        why=why or ", ".join(rule.name for rule in entry.failed),
    )
