"""Measures the way from log to transformed examples: `python -m benchmarks.transform`.

Makes logs with `heed synthesize`, runs the steps on each in a process of its own as TFX
runs them, and prints what each takes, imports left out. On a machine that does other
work, compare CPU seconds. `--root` keeps the artifacts, for a comparison of what two
versions wrote.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

EVENTS_OF_A_USER = 100
NUM_ITEMS = 5_000
ROOT = pathlib.Path(__file__).parents[2]


def _run(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    ).stdout


def measure(num_events: int, root: pathlib.Path, overrides: list[str]) -> dict:
    """Returns wall and CPU seconds of each step on a new log of so many events."""
    log = root / "log"
    settings = {
        "output": log,
        "users": num_events // EVENTS_OF_A_USER,
        "items": NUM_ITEMS,
        "events": num_events,
    }
    options = [word for k, v in settings.items() for word in (f"--{k}", str(v))]
    _run("pipeline.cli", "synthesize", *options)
    printed = _run("benchmarks.transform.steps", str(log), str(root), *overrides)
    return json.loads(printed.splitlines()[-1])


def main() -> None:
    """Parses the command line and runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--events", type=int, nargs="+", default=[200_000, 1_000_000])
    add("--set", action="append", default=[], dest="overrides", help="as for heed run")
    add("--root", type=pathlib.Path, help="keeps logs and artifacts in this folder")
    add("--output", type=pathlib.Path)
    options = parser.parse_args()
    report = {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "steps": {},
    }
    with tempfile.TemporaryDirectory(prefix="heed-transform-") as folder:
        for num_events in options.events:
            root = (options.root or pathlib.Path(folder)).resolve() / str(num_events)
            root.mkdir(parents=True)
            found = measure(num_events, root, options.overrides)
            report["steps"][num_events] = found
            for step, took in found.items():
                print(
                    f"{num_events:>12,} {step:<20} {took['work_cpu_sec']:>7.1f} s CPU "
                    f"{took['work_wall_sec']:>7.1f} s wall",
                    flush=True,
                )
            cpu = sum(took["work_cpu_sec"] for took in found.values())
            print(f"{num_events:>12,} {'together':<20} {cpu:>7.1f} s CPU", flush=True)
    if options.output:
        options.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
