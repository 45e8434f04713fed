"""Trains several arms, settings and seeds on one log and compares what was served."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pipeline.studies import experiment_figures, experiment_files
from schema import errors, reports, settings

ARMS: tuple[str, ...] = get_args(settings.NegativeSignal)
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

    All runs share one root, so that the log is ingested and transformed once, and
    towers are trained once for all values of `index.user_control`; equal configurations
    run once. The files are written anew after every run: what breaks off leaves what it
    has.

    Args:
      chosen: what is compared; at least one.
      num_seeds: seeds `train.seed`, `train.seed` + 1 and so on.
      root: directory of the experiment.
      run: runs one configuration.
      on_result: called with each finished run's row.

    Returns:
      The content of `experiment.json`: `runs` (a row each), and `arms`, by the
      variant's label: mean, its interval and the standard deviation over seeds, of the
      figures and, under `NAME / none`, of the ratios to the reference arm of the same
      seed and the same swept values.
    """
    rows: list[reports.ExperimentRun] = []
    ran: dict[str, tuple[experiment_figures.Figures, str | None]] = {}
    for variant, number in itertools.product(chosen, range(num_seeds)):
        config = variant.config
        seed = config.train.seed + number
        own = {"train": config.train.model_copy(update={"seed": seed})}
        config = config.model_copy(update=own)
        key = config.model_dump_json()
        if key not in ran:
            run(config, str(root))
            ran[key] = experiment_figures.read(root / "reports")
        figures, primary_action = ran[key]
        rows.append(
            reports.ExperimentRun(
                variant=variant.label,
                arm=variant.arm,
                swept=dict(variant.swept),
                seed=seed,
                primary_action=primary_action,
                figures=figures,
            )
        )
        on_result(rows[-1])
        content = experiment_figures.summarised(rows)
        experiment_files.write(root / "reports", content)
    return content
