"""Trains several arms and seeds on one log and compares what was served."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from schema import errors, settings

ARMS = ("none", "feature", "label", "feature_and_label", "drop")
_METRICS = ("recall@10", "ndcg@10", "negative_recall@10", "delta_ndcg@10")

Run = Callable[[settings.HeedConfig, str], Any]
"""(config, root) runs the pipeline; see `pipeline.runners.local.run`."""


def parse_arms(text: str) -> tuple[str, ...]:
    """Returns the arms of a comma-separated list; `all` means the five.

    Raises:
      InputError: an arm does not exist.
    """
    arms = ARMS if text == "all" else tuple(part.strip() for part in text.split(","))
    unknown = [arm for arm in arms if arm not in ARMS]
    if unknown:
        raise errors.InputError(
            f"`--arms` takes `all` or a list of {', '.join(ARMS)}; got {unknown[0]!r}"
        )
    return arms


def compare(
    config: settings.HeedConfig,
    arms: Sequence[str],
    num_seeds: int,
    root: pathlib.Path,
    run: Run,
    on_result: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, Any]:
    """Runs every arm with every seed and writes the comparison.

    All runs share one root, so that the log is ingested and transformed once.

    Args:
      config: the configuration; its arm and seed are replaced.
      arms: values of `model.negative_signal`.
      num_seeds: seeds `train.seed`, `train.seed` + 1 and so on.
      root: directory of the experiment.
      run: runs one configuration.
      on_result: called with each finished run's row.

    Returns:
      The content of `experiment.json`: `runs` (a row each) and `arms` (mean and
      standard deviation over seeds).
    """
    rows: list[dict[str, Any]] = []
    seeds = range(config.train.seed, config.train.seed + num_seeds)
    for arm, seed in itertools.product(arms, seeds):
        trained = config.model_copy(
            update={
                "model": config.model.model_copy(update={"negative_signal": arm}),
                "train": config.train.model_copy(update={"seed": seed}),
            }
        )
        run(trained, str(root))
        rows.append({"arm": arm, "seed": seed, **_figures(root / "reports")})
        on_result(rows[-1])
    content = {"runs": rows, "arms": {arm: summarise(rows, arm) for arm in arms}}
    _write(root / "reports" / "experiment.json", json.dumps(content, indent=1))
    _write(root / "reports" / "experiment.md", to_markdown(content))
    return content


def _figures(reports: pathlib.Path) -> dict[str, Any]:
    evaluation = json.loads((reports / "evaluation.json").read_text())
    responsiveness = json.loads((reports / "responsiveness.json").read_text())
    history = json.loads((reports / "training_history.json").read_text())
    figures = {name: evaluation["metrics"][name]["value"] for name in _METRICS}
    for key in sorted(key for key in responsiveness if "." in key):
        figures[key] = responsiveness[key]["responsiveness"]
    figures["epochs"] = len(history)
    figures["training_sec"] = round(sum(epoch["seconds"] for epoch in history), 1)
    return figures


def summarise(
    rows: Sequence[dict[str, Any]], arm: str
) -> dict[str, dict[str, float | int | None]]:
    """Returns mean and standard deviation over the seeds of an arm.

    Example:
      >>> summarise([{"arm": "none", "seed": 1, "x": 1.0}], "none")
      {'x': {'mean': 1.0, 'std': None, 'seeds': 1}}
    """
    own = [row for row in rows if row["arm"] == arm]
    names = [name for name in own[0] if name not in ("arm", "seed")]
    summary: dict[str, dict[str, float | int | None]] = {}
    for name in names:
        values = [row[name] for row in own if row[name] is not None]
        summary[name] = {
            "mean": float(np.mean(values)) if values else None,
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "seeds": len(values),
        }
    return summary


def to_markdown(content: dict[str, Any]) -> str:
    """Returns the comparison as a table, one row an arm."""
    names = sorted({name for arm in content["arms"].values() for name in arm})
    lines = [
        "| arm | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for arm, summary in content["arms"].items():
        cells = []
        for name in names:
            entry = summary.get(name, {"mean": None, "std": None})
            if entry["mean"] is None:
                cells.append("-")
            elif entry["std"] is None:
                cells.append(f"{entry['mean']:.4f}")
            else:
                cells.append(f"{entry['mean']:.4f} +- {entry['std']:.4f}")
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _write(path: pathlib.Path, text: str) -> None:
    aside = path.with_suffix(path.suffix + ".part")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)
