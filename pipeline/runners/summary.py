"""What a finished run says at the end: metrics, verdict, and what to do next."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

import rich.console
import rich.markup
import rich.table

from schema import reports, settings, visible_text

if TYPE_CHECKING:
    from pipeline.runners import local

_METRICS = ("recall@10", "ndcg@10", "mrr", "negative_recall@10", "index_recall@10")
_OBSERVED_WIDTH = 12
_NOTHING = "nothing to measure on"


def _metric(interval: reports.Interval) -> tuple[str, str]:
    value, low, high = interval.value, interval.low, interval.high
    if value is None or low is None or high is None:
        return "-", _NOTHING
    return f"{value:.4f}", f"{low:.4f} .. {high:.4f}"


def _answer(effect: reports.Effect) -> tuple[str, str]:
    """Returns the change in percent beside the slate before, and beside the control."""
    return (
        _change(
            effect.net_responsiveness,
            effect.net_low,
            effect.net_high,
            effect.net_reason or effect.reason,
        ),
        _change(effect.responsiveness, effect.low, effect.high, effect.reason),
    )


def _change(
    value: float | None, low: float | None, high: float | None, reason: str | None
) -> str:
    if value is None or low is None or high is None:
        return visible_text.visible(reason or _NOTHING)
    return f"{100 * value:+.1f} ({100 * low:+.1f} .. {100 * high:+.1f})"


def _short(observed: float | str | None) -> str:
    if isinstance(observed, float):
        return f"{observed:.4g}"
    text = visible_text.visible(str(observed))
    return text if len(text) <= _OBSERVED_WIDTH else text[: _OBSERVED_WIDTH - 1] + "…"


def _answers(
    responsiveness: reports.Responsiveness, feedback: settings.FeedbackSettings
) -> dict[str, reports.Effect]:
    """Returns the effects of what users state; the report has the rest."""
    every = {
        (similarity, action): effect
        for similarity, by_action in sorted(responsiveness.effects.items())
        for action, effect in sorted(by_action.items())
    }
    stated = {
        name
        for name, policy in feedback.actions.items()
        if policy.polarity == "negative" and policy.explicit
    }
    chosen = {key: effect for key, effect in every.items() if key[1] in stated}
    return {".".join(key): effect for key, effect in (chosen or every).items()}


def _lacking(folder: pathlib.Path) -> str:
    """Returns a line on items of the log without a row in the catalogue, or ""."""
    catalog = reports.read_existing(folder / reports.CATALOG_FILE, reports.Catalog)
    lacking, both = catalog.log_items_not_in_catalog, catalog.items_in_log
    if not lacking or both is None:
        return ""
    return f"the catalogue lacks {lacking} of the {lacking + both} items of the log\n"


def _gone(evaluation: reports.Evaluation) -> str:
    """Returns lines on held-out targets that can no longer be served, or ""."""
    told = []
    if evaluation.items_lost:
        told.append(
            f"the newer catalogue lacks {evaluation.items_lost} items that the model "
            f"was trained with: {evaluation.targets_lost} of {evaluation.targets} "
            "held-out targets are of them and count as misses\n"
        )
    if evaluation.targets_withdrawn:
        told.append(
            f"{evaluation.targets_withdrawn} held-out targets are left out: the "
            "catalogue has withdrawn their items\n"
        )
    return "".join(told)


def print_summary(
    screen: rich.console.Console,
    root: str,
    config: settings.HeedConfig,
    result: local.RunResult,
) -> None:
    """Prints the tables of a finished run.

    Args:
      screen: where to.
      root: the run's directory.
      config: the resolved configuration.
      result: what the run came to.
    """
    folder = pathlib.Path(root, "reports")
    evaluation = reports.read_existing(
        folder / reports.EVALUATION_FILE, reports.Evaluation
    )
    responsiveness = reports.read_existing(
        folder / reports.RESPONSIVENESS_FILE, reports.Responsiveness
    )
    promotion = reports.read_existing(
        folder / reports.PROMOTION_FILE, reports.Promotion
    )
    table = rich.table.Table(title="served model", title_justify="left")
    table.add_column("metric", no_wrap=True)
    table.add_column("value", no_wrap=True, min_width=7)
    table.add_column("95 % interval")
    for name in _METRICS:
        table.add_row(name, *_metric(evaluation.metrics[name]))
    popular = evaluation.baselines["popularity"].metrics["recall@10"]
    table.add_row("recall@10 of popularity", *_metric(popular))
    screen.print(table)

    answers = rich.table.Table(
        title="what users see after a dislike: change of likeness, in percent",
        title_justify="left",
    )
    answers.add_column("likeness", overflow="fold")
    for heading in ("beside the slate before", "beside the control"):
        answers.add_column(heading)
    for name, effect in _answers(responsiveness, config.feedback).items():
        answers.add_row(name, *map(rich.markup.escape, _answer(effect)))
    screen.print(answers)

    gate = rich.table.Table(title="promotion gate", title_justify="left")
    # A narrow screen folds the names, and shows every figure whole.
    gate.add_column("rule", overflow="fold")
    for heading in ("observed", "required"):
        gate.add_column(heading, no_wrap=True, min_width=10)
    gate.add_column("", no_wrap=True, min_width=len("passed"))
    for rule in promotion.rules:
        passed = "[green]passed[/green]" if rule.passed else "[red]FAILED[/red]"
        cells = map(rich.markup.escape, map(_short, (rule.observed, rule.required)))
        gate.add_row(rule.name, *cells, passed)
    screen.print(gate)
    screen.print(_lacking(folder) + _gone(evaluation), end="")

    folder_of_versions = os.path.join(root, "serving_models", config.pipeline.name)
    models = rich.markup.escape(folder_of_versions)
    cached = f"{len(result.cached_nodes)} steps reused" if result.cached_nodes else ""
    if result.blessed and result.pushed_version:
        words = "blessed and pushed"
        if result.override_reason:
            words = "pushed by a person"
        screen.print(
            f"[green]{words}[/green]: "
            f"{os.path.join(models, result.pushed_version)}  {cached}",
            highlight=False,
        )
        screen.print(
            f"report: {rich.markup.escape(str(folder / 'report.html'))}\n"
            f"next:   heed recommend --model {models} --history FILE -k 10\n"
            f"        heed serve --models {models}",
            highlight=False,
        )
        return
    if result.rollback_reason:
        reason = rich.markup.escape(visible_text.visible(result.rollback_reason))
        screen.print(
            "[red]rolled back by a person[/red]; nothing was pushed. This very model "
            f"was withdrawn earlier: {reason}\n"
            "to serve it again: heed promote --override --root ROOT --reason WHY",
            highlight=False,
        )
        return
    screen.print("[red]refused by the promotion gate[/red]; nothing was pushed")
    for rule in promotion.rules:
        if not rule.passed:
            screen.print(
                visible_text.visible(
                    f"  {rule.name}: observed {rule.observed}, required {rule.required}"
                ),
                markup=False,
                highlight=False,
            )
