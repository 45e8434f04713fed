"""Tunes every contender over one grid and compares the best of each.

The eval split stops each training and chooses the grid point; the test split is read
only by the table.
"""

from __future__ import annotations

import itertools
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.learning import contenders, metrics, report, speed, task
from benchmarks.learning import log as neutral


def measure(
    make_job: speed.MakeJob,
    names: Sequence[str],
    log: neutral.Log,
    work: pathlib.Path,
    learning_rates: Sequence[float],
    dropouts: Sequence[float],
    num_seeds: int,
) -> dict[str, Any]:
    """Returns, by contender, the grid and the best point with all its seeds.

    Args:
      make_job: makes a task of the command line's options.
      names: of the contenders.
      log: the prepared log.
      work: folder of the runs; finished ones are not repeated.
      learning_rates: of the grid.
      dropouts: of the grid.
      num_seeds: trainings of the best point.
    """
    results: dict[str, Any] = {}
    gains: dict[str, np.ndarray] = {}
    for name in names:
        grid = []
        for learning_rate, dropout in itertools.product(learning_rates, dropouts):
            job = make_job(
                name,
                work / "accuracy" / name / f"{learning_rate:g}-{dropout:g}",
                measure="accuracy",
                learning_rate=learning_rate,
                dropout=dropout,
            )
            grid.append(_train(job, log))
        best = max(grid, key=lambda point: point["eval"]["all_ndcg@10"])
        seeds = [best]
        for number in range(1, num_seeds):
            job = make_job(
                name,
                work / "accuracy" / name / f"seed-{number}",
                measure="accuracy",
                learning_rate=best["learning_rate"],
                dropout=best["dropout"],
                seed=best["seed"] + number,
            )
            seeds.append(_train(job, log))
        gains[name] = np.mean([point.pop("gain") for point in seeds], axis=0)
        for point in grid:
            point.pop("gain", None)
        results[name] = {"test": _means(seeds), "seeds": seeds, "grid": grid}
    differences = _differences(gains)
    print("\n" + report.accuracy_table(results) + "\n")
    print("NDCG@10 of all targets:", json.dumps(differences, indent=1))
    return {"results": results, "differences": differences}


def _train(job: task.Task, log: neutral.Log) -> dict[str, Any]:
    result = contenders.run(job)
    lists = task.read_lists(job)
    monitored = result.get("monitored") or []
    num_epochs = len(monitored or result["history"])
    target = log.targets(neutral.TEST)
    point = {
        "learning_rate": job.learning_rate,
        "dropout": job.dropout,
        "seed": job.seed,
        **metrics.measure_both(log, lists),
        "epochs": num_epochs,
        "process_cpu_sec": result["process_cpu_sec"],
        "stopped_by_budget": bool(monitored)
        and not task.should_stop(monitored, job.patience)
        and num_epochs < job.epochs,
        "gain": metrics.ndcg(metrics.ranks(lists[neutral.TEST], log.item[target])),
    }
    print(
        job.contender,
        f"lr {job.learning_rate:g}, dropout {job.dropout:g}, seed {job.seed}:",
        {s: round(point[s]["all_ndcg@10"], 4) for s in ("eval", "test")},
        f"{num_epochs} epochs",
        flush=True,
    )
    return point


def _means(seeds: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Returns the mean of every test metric over seeds."""
    means: dict[str, float | None] = {}
    for name in seeds[0]["test"]:
        values = [point["test"][name] for point in seeds]
        means[name] = None if None in values else float(np.mean(values))
    return means


def _differences(gains: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Returns Heed minus each peer, paired over the targets, and the ratio."""
    found = {}
    for own, peer in itertools.product(gains, gains):
        if own.startswith("heed") and not peer.startswith("heed"):
            difference = gains[own] - gains[peer]
            error = difference.std(ddof=1) / np.sqrt(len(difference))
            found[f"{own} - {peer}"] = {
                "difference": round(float(difference.mean()), 5),
                "standard_error": round(float(error), 5),
                "ratio": round(float(gains[own].mean() / gains[peer].mean()), 3),
            }
    return found
