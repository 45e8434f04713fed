"""Heed's base model beside its peers: `python -m benchmarks.learning COMMAND`.

`prepare` writes a prepared log, `speed` measures positions a second, `input` times the
input pipeline alone, `accuracy` tunes every contender over one small grid and compares
the best of each on the test split. docs/learning-benchmark.md explains.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import pathlib
from typing import Any

from benchmarks.learning import contenders, metrics, report, task
from benchmarks.learning import log as neutral


def _job(options: argparse.Namespace, name: str, **changes: Any) -> task.Task:
    """Returns the task of a contender; `output` is its folder below the work folder."""
    own = contenders.CONTENDERS[name]
    values = {
        "contender": name,
        "data": str(options.data.resolve()),
        "embedding_dim": options.embedding_dim,
        "hidden_dim": options.hidden_dim,
        "num_heads": options.num_heads,
        "num_layers": options.transformer_layers if own.tower == "transformer" else 1,
        "max_length": options.max_length,
        "prefix_length": options.prefix_length or options.max_length,
        "batch_windows": options.batch_windows,
        "batch_examples": options.batch_examples,
        "epochs": options.epochs,
        "threads": options.threads,
        "seed": options.seed,
        "overrides": options.overrides,
    }
    return task.Task(**{**values, **changes})


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Times the epochs after the first of every contender."""
    results: dict[str, Any] = {}
    for name in options.contenders:
        output = str((options.work / "speed" / name).resolve())
        one_position = contenders.CONTENDERS[name].one_position
        max_steps = options.max_steps if one_position else 0
        result = contenders.run(
            _job(options, name, output=output, measure="speed", max_steps=max_steps)
        )
        # Heed reports the stretch after its first epoch, the others every epoch.
        timed = result["epochs"][0 if name.startswith("heed") else 1 :]
        memory = result["peak_memory_bytes"]
        results[name] = {**report.rates(timed), "peak_memory_bytes": memory}
        print(name, {k: round(v) for k, v in results[name].items()}, flush=True)
    ratios = {
        clock: report.speed_ratios(results, clock)
        for clock in ("per_wall_sec", "per_cpu_sec")
    }
    print("\n" + report.speed_table(results), "\n")
    for clock, values in ratios.items():
        print(f"Heed is faster by ({clock}):", json.dumps(values, indent=1))
    return {"results": results, "ratios": ratios}


def input_alone(options: argparse.Namespace) -> dict[str, Any]:
    """Times the input pipeline alone beside the training that it feeds."""
    results: dict[str, Any] = {}
    for name in ("heed_gru", "heed_transformer"):
        folder = (options.work / "speed" / name).resolve()
        train = contenders.run(_job(options, name, output=str(folder), measure="speed"))
        read = contenders.run(
            _job(options, name, output=f"{folder}-input", measure="input"),
            module="heed_input",
        )
        reading = report.rates(read["epochs"][1:])
        training = report.rates(train["epochs"])
        results[name] = {
            "input": reading,
            "training": training,
            "input_share_of_cpu": training["per_cpu_sec"] / reading["per_cpu_sec"],
            "times_faster_than_training": (
                reading["per_wall_sec"] / training["per_wall_sec"]
            ),
        }
    rows = [
        [
            name,
            r["input"]["per_wall_sec"],
            r["training"]["per_wall_sec"],
            r["times_faster_than_training"],
            f"{r['input_share_of_cpu']:.1%}",
        ]
        for name, r in results.items()
    ]
    header = ["", "input, positions/s", "training", "ratio", "input's share of CPU"]
    print(report.table(header, rows))
    return {"results": results}


def accuracy(options: argparse.Namespace) -> dict[str, Any]:
    """Tunes every contender over one grid; the eval split chooses, the test reports."""
    log = neutral.load(options.data)
    grid = list(itertools.product(options.learning_rates, options.dropouts))
    results: dict[str, Any] = {}
    for name in options.contenders:
        points = []
        for learning_rate, dropout in grid:
            point = f"lr {learning_rate:g}, dropout {dropout:g}"
            folder = options.work / "accuracy" / name / f"{learning_rate:g}-{dropout:g}"
            job = _job(
                options,
                name,
                output=str(folder.resolve()),
                measure="accuracy",
                learning_rate=learning_rate,
                dropout=dropout,
                patience=options.patience,
                budget_cpu_sec=options.budget_cpu_sec,
            )
            result = contenders.run(job)
            found = metrics.measure_both(log, task.read_lists(job))
            monitored = result.get("monitored")
            points.append(
                {
                    "grid_point": point,
                    **found,
                    "epochs": len(monitored or result["history"]),
                    "cpu_sec": result["process_cpu_sec"],
                    "stopped_by_budget": bool(monitored)
                    and not task.should_stop(monitored, options.patience)
                    and len(monitored) < options.epochs,
                }
            )
            ndcg = {s: round(points[-1][s]["all_ndcg@10"], 4) for s in ("eval", "test")}
            print(name, point, ndcg, points[-1]["epochs"], "epochs", flush=True)
        best = max(points, key=lambda p: p["eval"]["all_ndcg@10"])
        results[name] = {"best": best, "grid": points}
    ratios = report.accuracy_ratios(results)
    print("\n" + report.accuracy_table(results), "\n")
    print("NDCG@10, all targets:", json.dumps(ratios, indent=1))
    return {"results": results, "ratios": ratios}


def prepare_log(options: argparse.Namespace) -> dict[str, Any]:
    """Prepares a log with Heed's own mapping, ingestion and Transform."""
    from benchmarks.learning import prepare

    options.data.mkdir(parents=True, exist_ok=True)
    overrides = [f"history.max_length={options.max_length}", *options.overrides]
    if options.synthetic:
        sizes = map(int, options.synthetic.split(","))
        overrides += prepare.synthetic_overrides(options.data, *sizes)
    config = None if options.synthetic else options.config
    content = prepare.prepare(config, overrides, options.data)
    print({name: content[name] for name in content if name != "uris"})
    return content


_COMMANDS = {
    "prepare": prepare_log,
    "speed": speed,
    "input": input_alone,
    "accuracy": accuracy,
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
    add("--max-length", type=int, default=100)
    add("--prefix-length", type=int, help="Of one-position examples; default: window.")
    add("--batch-windows", type=int, default=32)
    add("--batch-examples", type=int, default=2048)
    add("--epochs", type=int, default=3)
    add("--max-steps", type=int, default=10, help="`speed`: of one-position epochs.")
    add("--learning-rates", default="1e-3,3e-3")
    add("--dropouts", default="0.2,0.5")
    add("--patience", type=int, default=3)
    add("--budget-cpu-sec", type=float, default=0.0, help="Of a peer; 0: none.")
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
