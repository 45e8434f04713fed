"""Trains several arms, settings and seeds on one log and compares what was served."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from schema import errors, files, reports, settings

ARMS: tuple[str, ...] = get_args(settings.NegativeSignal)
REFERENCE_ARM = "none"
"""Learns from positives only; every other one is also told relative to it."""
TABLE_FILE = "experiment.md"
_METRICS = (
    "recall@10",
    "ndcg@10",
    "negative_recall@10",
    "negative_ndcg@10",
    "delta_ndcg@10",
)
_RATIOS = ("recall@10", "ndcg@10", "negative_recall@10")
_WITH_LABELS = ("label", "feature_and_label")
_WITH_PATH = ("feature_and_label",)
_READ_BY = {
    "train.negative_weight": _WITH_LABELS,
    "train.consumption_weight": _WITH_LABELS,
    "train.dislike_dropout": _WITH_PATH,
    **{
        f"model.{name}": _WITH_PATH
        for name in settings.ModelSettings.model_fields
        if name.startswith("avoidance_")
    },
    "index.user_control": _WITH_PATH,
}
"""Settings that only these arms read; see `components/trainer/model.py`."""

Figures = dict[str, int | float | None]
"""What one run came to, by name."""
Run = Callable[[settings.HeedConfig, str], Any]
"""(config, root) runs the pipeline; see `pipeline.runners.local.run`."""
Load = Callable[[Sequence[str]], settings.HeedConfig]
"""Further `section.key=value` of the command line to a configuration."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of the comparison: an arm with one value of each swept setting."""

    arm: str
    swept: Mapping[str, str]
    config: settings.HeedConfig

    @property
    def label(self) -> str:
        """The arm, and the swept settings by the last part of their names."""
        values = [f"{key.split('.')[-1]}={v}" for key, v in self.swept.items()]
        return ", ".join([self.arm, *values])


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


def parse_sweep(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Returns the values of each swept setting.

    Example:
      >>> parse_sweep(["train.negative_weight=0,1,5"])
      {'train.negative_weight': ('0', '1', '5')}

    Raises:
      InputError: a text is not `section.key=a,b`.
    """
    sweep: dict[str, tuple[str, ...]] = {}
    for text in texts:
        key, equals, listed = text.partition("=")
        values = tuple(value.strip() for value in listed.split(","))
        if not equals or "." not in key or not all(values) or key.strip() in sweep:
            raise errors.InputError(
                "`--sweep` takes section.key=value,value,... and each key once; "
                f"got {text!r}"
            )
        sweep[key.strip()] = values
    return sweep


def variants(
    arms: Sequence[str], sweep: Mapping[str, Sequence[str]], load: Load
) -> tuple[Variant, ...]:
    """Returns every arm with every combination of the swept values.

    Where an arm does not read a swept setting, all its values give one configuration,
    which `compare` runs once.

    Args:
      arms: values of `model.negative_signal`.
      sweep: values of each further setting.
      load: reads and checks a configuration; all are read before the first run.
    """
    found = []
    for arm, values in itertools.product(arms, itertools.product(*sweep.values())):
        swept = dict(zip(sweep, values, strict=True))
        of_arm = [f"model.negative_signal={arm}"]
        every = [f"{key}={value}" for key, value in swept.items()]
        read = [
            f"{key}={value}"
            for key, value in swept.items()
            if arm in _READ_BY.get(key, ARMS)
        ]
        config = load(of_arm + every)
        if read != every:
            config = load(of_arm + read)
        found.append(Variant(arm, swept, config))
    return tuple(found)


def compare(
    chosen: Sequence[Variant],
    num_seeds: int,
    root: pathlib.Path,
    run: Run,
    on_result: Callable[[reports.ExperimentRun], None] = lambda row: None,
) -> reports.Experiment:
    """Runs every variant with every seed and writes the comparison.

    All runs share one root, so that the log is ingested and transformed once; equal
    configurations run once. The files are written anew after every run: what breaks
    off leaves what it has.

    Args:
      chosen: what is compared; at least one.
      num_seeds: seeds `train.seed`, `train.seed` + 1 and so on.
      root: directory of the experiment.
      run: runs one configuration.
      on_result: called with each finished run's row.

    Returns:
      The content of `experiment.json`: `runs` (a row each), and `arms`, by the
      variant's label: mean and standard deviation over seeds, of the figures and,
      under `NAME / none`, of the ratios to the reference arm of the same seed and
      the same swept values.
    """
    rows: list[reports.ExperimentRun] = []
    ran: dict[str, Figures] = {}
    for variant, number in itertools.product(chosen, range(num_seeds)):
        config = variant.config
        seed = config.train.seed + number
        own = {"train": config.train.model_copy(update={"seed": seed})}
        config = config.model_copy(update=own)
        key = config.model_dump_json()
        if key not in ran:
            run(config, str(root))
            ran[key] = _figures(root / "reports")
        rows.append(
            reports.ExperimentRun(
                variant=variant.label,
                arm=variant.arm,
                swept=dict(variant.swept),
                seed=seed,
                figures=ran[key],
            )
        )
        on_result(rows[-1])
        content = summarised(rows)
        reports.write(root / "reports" / reports.EXPERIMENT_FILE, content)
        files.write_atomically(root / "reports" / TABLE_FILE, to_markdown(content))
    return content


def _figures(folder: pathlib.Path) -> Figures:
    def read(name: str, kind: type[reports.ReportT]) -> reports.ReportT:
        return reports.read_existing(folder / name, kind)

    evaluation = read(reports.EVALUATION_FILE, reports.Evaluation)
    history = read(reports.TRAINING_FILE, reports.TrainingHistory).root
    responsiveness = read(reports.RESPONSIVENESS_FILE, reports.Responsiveness)
    promotion = read(reports.PROMOTION_FILE, reports.Promotion)
    figures: Figures = {name: evaluation.metrics[name].value for name in _METRICS}
    for similarity, by_action in sorted(responsiveness.effects.items()):
        for action, effect in sorted(by_action.items()):
            figures[f"{similarity}.{action}"] = effect.responsiveness
    figures["blessed"] = float(promotion.blessed)
    figures["epochs"] = len(history)
    # The last record has what the avoidance path took after the epochs.
    seconds = sum(
        (record.get(key) or 0.0)
        for record in history
        for key in ("seconds", "avoidance_seconds")
    )
    figures["training_sec"] = round(seconds, 1)
    return figures


def summarised(rows: Sequence[reports.ExperimentRun]) -> reports.Experiment:
    """Returns `runs` and their summary by variant; see `compare`."""
    reference = {_conditions(r): r.figures for r in rows if r.arm == REFERENCE_ARM}
    told: dict[str, list[Figures]] = {}
    for row in rows:
        ratios: Figures = {}
        if row.arm != REFERENCE_ARM:
            ratios = _ratios(row.figures, reference.get(_conditions(row), {}))
        told.setdefault(row.variant, []).append({**row.figures, **ratios})
    return reports.Experiment(
        runs=tuple(rows),
        arms={label: summarise(figures) for label, figures in told.items()},
    )


def _conditions(row: reports.ExperimentRun) -> tuple[Any, ...]:
    """Returns what two arms must share to be compared."""
    return (row.seed, *sorted(row.swept.items()))


def _ratios(figures: Figures, reference: Figures) -> Figures:
    return {
        f"{name} / {REFERENCE_ARM}": value / beside
        for name in _RATIOS
        if (value := figures[name]) is not None and (beside := reference.get(name))
    }


def summarise(rows: Sequence[Figures]) -> dict[str, reports.Summary]:
    """Returns mean and standard deviation over the seeds of one variant.

    Example:
      >>> summarise([{"x": 1.0}])
      {'x': Summary(mean=1.0, std=None, seeds=1)}
    """
    summary = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [value for row in rows if (value := row.get(name)) is not None]
        summary[name] = reports.Summary(
            mean=float(np.mean(values)) if values else None,
            std=float(np.std(values, ddof=1)) if len(values) > 1 else None,
            seeds=len(values),
        )
    return summary


def to_markdown(content: reports.Experiment) -> str:
    """Returns the comparison as a table, one row a variant."""
    names = list(dict.fromkeys(n for arm in content.arms.values() for n in arm))
    lines = ["| arm | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for arm, summary in content.arms.items():
        cells = " | ".join(_cell(summary.get(name)) for name in names)
        lines.append(f"| {arm} | {cells} |")
    return "\n".join(lines) + "\n"


def _cell(entry: reports.Summary | None) -> str:
    if entry is None or entry.mean is None:
        return "-"
    spread = "" if entry.std is None else f" +- {entry.std:.4f}"
    return f"{entry.mean:.4f}{spread}"
