"""`heed tune`: the best hyperparameters as a configuration that `--config` takes."""

from __future__ import annotations

import functools
import json
import operator
import pathlib
from collections.abc import Callable
from typing import Any

from components.tuner import component as tuner
from pipeline import config as config_lib
from pipeline import pipeline as heed_pipeline
from pipeline import toml_text
from pipeline.runners import console, local
from schema import errors, files


def tune(
    resolved: config_lib.ResolvedConfig,
    root: str,
    output: pathlib.Path,
    on_steps: Callable[[list[str]], console.StepDisplay] | None = None,
) -> list[dict[str, Any]]:
    """Searches on the run's data and writes the configuration of the best trial.

    Args:
      resolved: the configuration; `tuning` holds the ranges.
      root: directory of the run, whose ingestion and transforms are shared.
      output: the TOML file; holds all values that are no default.
      on_steps: makes the progress display.

    Returns:
      All complete trials, best first: dotted keys, `score` and `trial_id`.

    Raises:
      InputError: the trials cannot be judged, or the output is no TOML file.
    """
    if output.suffix != ".toml":
        raise errors.InputError(f"`--output` = {output}: expected a name with .toml")
    found = local.run_steps(
        resolved.config, root, on_steps, heed_pipeline.create_tuning_pipeline
    )
    artifacts = found["Tuner"].artifacts
    best = _read(artifacts["best_hyperparameters"].uri, tuner.BEST_FILE)["values"]
    trials = _read(artifacts["tuner_results"].uri, "tuner_results.json")
    files.write_atomically(output, overlay(resolved, best))
    return list(trials)


def _read(folder: str, name: str) -> Any:
    return json.loads((pathlib.Path(folder) / name).read_text(encoding="utf-8"))


def overlay(resolved: config_lib.ResolvedConfig, best: dict[str, Any]) -> str:
    """Returns TOML of all values that are no default, with the best ones laid over.

    Args:
      resolved: where each value came from.
      best: dotted key to value.
    """
    values = resolved.config.model_dump(mode="json")
    given = {
        key: functools.reduce(operator.getitem, key.split("."), values)
        for key, label in resolved.origin.items()
        if label != config_lib.DEFAULT_ORIGIN
    }
    lines = ["# Written by `heed tune`; the tuned values stand at the end."]
    lines += [toml_text.line(k, v) for k, v in sorted(given.items()) if k not in best]
    lines += [toml_text.line(key, value) for key, value in sorted(best.items())]
    return "\n".join(lines) + "\n"
