"""Positions a second of every contender, and of Heed's input pipeline alone."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.learning import contenders, report, task

MakeJob = Callable[..., task.Task]
"""(contender, output folder, **changes) makes a task of the command line's options."""


def measure(
    make_job: MakeJob, names: Sequence[str], work: pathlib.Path, max_steps: int
) -> dict[str, Any]:
    """Times the epochs after the first of every contender.

    Args:
      make_job: see `MakeJob`.
      names: of the contenders.
      work: folder of the runs.
      max_steps: steps of an epoch of those that train one position an example.
    """
    results: dict[str, Any] = {}
    for name in names:
        one_position = contenders.CONTENDERS[name].one_position
        job = make_job(
            name,
            work / "speed" / name,
            measure="speed",
            max_steps=max_steps if one_position else 0,
        )
        result = contenders.run(job)
        # Heed reports the stretch after its first epoch, the others every epoch.
        timed = result["epochs"][0 if name.startswith("heed") else 1 :]
        memory = result["peak_memory_bytes"]
        results[name] = {
            **report.rates(timed),
            "peak_memory_bytes": memory,
        }
        print(name, {k: round(v) for k, v in results[name].items()}, flush=True)
    ratios = {
        clock: report.speed_ratios(results, clock)
        for clock in ("per_wall_sec", "per_cpu_sec")
    }
    print("\n" + report.speed_table(results) + "\n")
    for clock, values in ratios.items():
        print(f"Heed over its peers, {clock}:", json.dumps(values, indent=1))
    return {"results": results, "ratios": ratios}


def measure_input(make_job: MakeJob, work: pathlib.Path) -> dict[str, Any]:
    """Times the input pipeline alone beside the training that it feeds."""
    results: dict[str, Any] = {}
    for name in ("heed_gru", "heed_transformer"):
        train = contenders.run(make_job(name, work / "speed" / name, measure="speed"))
        job = make_job(name, work / "input" / name, measure="input")
        read = contenders.run(job, module="heed_input")
        reading, training = (
            report.rates(read["epochs"][1:]),
            report.rates(train["epochs"]),
        )
        results[name] = {
            "input": reading,
            "training": training,
            "times_faster": reading["per_wall_sec"] / training["per_wall_sec"],
            "share_of_cpu": training["per_cpu_sec"] / reading["per_cpu_sec"],
        }
    print(report.input_table(results))
    return {"results": results}
