"""What a finished run says at the end: metrics, verdict, and what to do next."""

from __future__ import annotations

import json
import os
from typing import Any

import rich.console
import rich.table

from schema import settings

_METRICS = ("recall@10", "ndcg@10", "mrr", "negative_recall@10", "index_recall@10")
_OBSERVED_WIDTH = 14


def _read(root: str, name: str) -> dict[str, Any]:
    with open(os.path.join(root, "reports", name), encoding="utf-8") as file:
        return dict(json.load(file))


def _interval(entry: dict[str, Any], percent: bool = False) -> list[str]:
    value = entry.get("value", entry.get("responsiveness"))
    low, high = entry["low"], entry["high"]
    if value is None or low is None or high is None:
        return ["-", entry.get("reason", "nothing to measure on")]
    if percent:
        return [f"{value:+.1%}", f"{low:+.1%} .. {high:+.1%}"]
    return [f"{value:.4f}", f"{low:.4f} .. {high:.4f}"]


def _short(observed: Any) -> str:
    if isinstance(observed, float):
        return f"{observed:.4f}"
    text = str(observed)
    return text if len(text) <= _OBSERVED_WIDTH else text[: _OBSERVED_WIDTH - 1] + "…"


def _answers(
    responsiveness: dict[str, Any], feedback: settings.FeedbackSettings
) -> list[str]:
    """Returns the `SIMILARITY.ACTION` of what users state; the report has the rest."""
    keys = sorted(key for key in responsiveness if "." in key)
    policies = {key: feedback.actions.get(key.partition(".")[2]) for key in keys}
    stated = [
        key
        for key, policy in policies.items()
        if policy is not None and policy.polarity == "negative" and policy.explicit
    ]
    return stated or keys


def print_summary(
    screen: rich.console.Console,
    root: str,
    config: settings.HeedConfig,
    result: Any,
) -> None:
    """Prints the tables of a finished run.

    Args:
      screen: where to.
      root: the run's directory.
      config: the resolved configuration.
      result: `local.RunResult`.
    """
    evaluation = _read(root, "evaluation.json")
    responsiveness = _read(root, "responsiveness.json")
    promotion = _read(root, "promotion.json")
    table = rich.table.Table(title="served model", title_justify="left")
    table.add_column("metric", no_wrap=True)
    table.add_column("value", no_wrap=True, min_width=7)
    table.add_column("95 % interval")
    for name in _METRICS:
        table.add_row(name, *_interval(evaluation["metrics"][name]))
    popular = evaluation["baselines"]["popularity"]["recall@10"]
    table.add_row("recall@10 of popularity", *_interval(popular))
    for key in _answers(responsiveness, config.feedback):
        entry = _interval(responsiveness[key], percent=True)
        table.add_row(f"answer to {key}", *entry)
    screen.print(table)

    gate = rich.table.Table(title="promotion gate", title_justify="left")
    for heading in ("rule", "observed", "required"):
        gate.add_column(heading, no_wrap=True)
    gate.add_column("", no_wrap=True, min_width=len("passed"))
    for rule in promotion["rules"]:
        passed = "[green]passed[/green]" if rule["passed"] else "[red]FAILED[/red]"
        gate.add_row(
            rule["name"], _short(rule["observed"]), _short(rule["required"]), passed
        )
    screen.print(gate)

    models = os.path.join(root, "serving_models", config.pipeline.name)
    cached = f"{len(result.cached_nodes)} steps reused" if result.cached_nodes else ""
    if result.blessed and result.pushed_version:
        screen.print(
            f"[green]blessed and pushed[/green]: "
            f"{os.path.join(models, result.pushed_version)}  {cached}",
            highlight=False,
        )
        screen.print(
            f"report: {os.path.join(root, 'reports', 'report.html')}\n"
            f"next:   heed recommend --model {models} --history FILE -k 10\n"
            f"        heed serve --models {models}",
            highlight=False,
        )
        return
    screen.print("[red]refused by the promotion gate[/red]; nothing was pushed")
    for rule in promotion["rules"]:
        if not rule["passed"]:
            screen.print(
                f"  {rule['name']}: observed {rule['observed']}, "
                f"required {rule['required']}",
                highlight=False,
            )
