"""Heed's base model beside its peers: `python -m benchmarks.learning COMMAND`.

`prepare` writes a prepared log, `speed` measures positions a second, `input` times the
input pipeline alone, `accuracy` tunes every contender over one small grid and compares
the best of each on the test split. docs/learning-benchmark.md explains.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
from typing import Any

from benchmarks.learning import accuracy, contenders, report, speed, task
from benchmarks.learning import log as neutral


def job_maker(options: argparse.Namespace) -> speed.MakeJob:
    """Returns what makes the tasks of these options."""
    meta = json.loads((options.data / task.META_FILE).read_text())

    def make(name: str, output: pathlib.Path, **changes: Any) -> task.Task:
        contender = contenders.CONTENDERS[name]
        is_transformer = contender.tower == "transformer"
        values = {
            "contender": name,
            "data": str(options.data.resolve()),
            "output": str(output.resolve()),
            "embedding_dim": options.embedding_dim,
            "hidden_dim": options.hidden_dim,
            "num_heads": options.num_heads,
            "num_layers": options.transformer_layers if is_transformer else 1,
            "max_length": meta["max_length"],
            "prefix_length": options.prefix_length or meta["max_length"],
            "batch_windows": options.batch_windows,
            "batch_examples": options.batch_examples,
            "epochs": options.epochs,
            "patience": options.patience,
            "budget_cpu_sec": options.budget_cpu_sec,
            "threads": options.threads,
            "seed": options.seed,
            # Another setting of Heed is no reason to train its peers again.
            "overrides": options.overrides if contender.is_own else (),
        }
        return task.Task(**{**values, **changes})

    return make


def run_speed(options: argparse.Namespace) -> dict[str, Any]:
    """Runs `speed`."""
    make_job = job_maker(options)
    return speed.measure(make_job, options.contenders, options.work, options.max_steps)


def run_input(options: argparse.Namespace) -> dict[str, Any]:
    """Runs `input`; trainings that `speed` has timed are not repeated."""
    return speed.measure_input(job_maker(options), options.work)


def run_accuracy(options: argparse.Namespace) -> dict[str, Any]:
    """Runs `accuracy`."""
    return accuracy.measure(
        job_maker(options),
        options.contenders,
        neutral.load(options.data),
        options.work,
        options.learning_rates,
        options.dropouts,
        options.seeds,
    )


def run_prepare(options: argparse.Namespace) -> dict[str, Any]:
    """Prepares a log with Heed's own mapping, ingestion and Transform."""
    from benchmarks.learning import prepare

    options.data.mkdir(parents=True, exist_ok=True)
    overrides = list(options.overrides)
    if options.synthetic:
        sizes = map(int, options.synthetic.split(","))
        overrides += prepare.synthetic_overrides(options.data, *sizes)
    config = None if options.synthetic else options.config
    content = prepare.prepare(config, overrides, options.data)
    print({name: content[name] for name in content if name != "uris"})
    return content


_COMMANDS = {
    "prepare": run_prepare,
    "speed": run_speed,
    "input": run_input,
    "accuracy": run_accuracy,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=sorted(_COMMANDS))
    add = parser.add_argument
    add("--data", type=pathlib.Path, required=True, help="Folder of the prepared log.")
    add("--work", type=pathlib.Path, help="Folder of the runs; default: below --data.")
    add("--output", type=pathlib.Path, help="JSON of the results.")
    add("--config", default="movielens-small", help="`prepare`: which log.")
    add("--synthetic", help="`prepare`: users,items,events,seed instead of a config.")
    add("--set", action="append", default=[], dest="overrides", help="Heed's keys.")
    add("--contenders", default=",".join(contenders.CONTENDERS), help="a,b,c")
    add("--embedding-dim", type=int, default=64)
    add("--hidden-dim", type=int, default=128)
    add("--transformer-layers", type=int, default=1)
    add("--num-heads", type=int, default=2)
    add("--prefix-length", type=int, help="Of one-position examples; default: window.")
    add("--batch-windows", type=int, default=32)
    add("--batch-examples", type=int, default=2048)
    add("--epochs", type=int, default=3)
    add("--max-steps", type=int, default=10, help="`speed`: of one-position epochs.")
    add("--learning-rates", default="1e-3,3e-3")
    add("--dropouts", default="0.2,0.5")
    add("--patience", type=int, default=10, help="Models plateau before they rise.")
    add("--budget-cpu-sec", type=float, default=0.0, help="Of a peer; 0: none.")
    add("--seeds", type=int, default=1, help="`accuracy`: of the best grid point.")
    add("--threads", type=int, default=1)
    add("--seed", type=int, default=1)
    options = parser.parse_args()
    options.overrides = tuple(options.overrides)
    options.contenders = options.contenders.split(",")
    unknown = [n for n in options.contenders if n not in contenders.CONTENDERS]
    if unknown:
        parser.error(f"no contender {unknown[0]}; {', '.join(contenders.CONTENDERS)}")
    options.learning_rates = [float(v) for v in options.learning_rates.split(",")]
    options.dropouts = [float(v) for v in options.dropouts.split(",")]
    options.work = options.work or options.data / "work"
    return options


def main() -> None:
    """Runs one command."""
    # TFX and the towers are of Keras 2; the peers have an environment of their own.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    options = _arguments()
    content = {
        "command": options.command,
        "options": {k: str(v) for k, v in vars(options).items()},
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "hardware": report.hardware(),
    }
    content |= _COMMANDS[options.command](options)
    if options.output:
        aside = options.output.with_suffix(".part")
        aside.write_text(json.dumps(content, indent=1) + "\n")
        aside.replace(options.output)


if __name__ == "__main__":
    main()
