"""Measures ingestion: `python -m benchmarks.ingestion --output results.json`.

Makes synthetic logs, runs each contender in a process of its own, checks that all
wrote the same examples, and prints events a second by the clock and by CPU time,
imports left out. On a machine that does other work, compare CPU time. The Polars
contender needs `make setup-benchmarks`; a hundred million events are
`--events 0 --side-by-side-events 0 --hot-user-events 0
--huge-events 100000000`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import tempfile

from benchmarks.ingestion import measure, synthetic_log

GIB = 2**30


class Bench:
    """One run of the benchmark with its options."""

    def __init__(self, options: argparse.Namespace):
        """Keeps the options."""
        self.options = options

    def race(
        self, title: str, num_events: int, names: list[str], check=False, **log
    ) -> dict:
        """Returns the results of some contenders on one new log."""
        results = {}
        with tempfile.TemporaryDirectory(
            prefix="heed-ingestion-", dir=self.options.scratch
        ) as folder:
            base = pathlib.Path(folder)
            synthetic_log.write_log(base / "log", num_events, **log)
            digests = set()
            for name in names:
                python = measure.python_of(name, self.options.polars_python)
                if not python:
                    print(f"{name}: not installed; run `make setup-benchmarks`")
                    continue
                result = measure.contender(
                    name, base / "log", base / name, python, self.options.beam_args
                )
                for clock in ("wall", "cpu"):
                    seconds = result[f"work_{clock}_sec"]
                    result[f"events_per_{clock}_sec"] = round(num_events / seconds)
                results[name] = result
                if check:
                    digests.add(measure.digest(base / name))
                _print(f"{title} {num_events:,}", name, result)
            if len(digests) > 1:
                raise RuntimeError(
                    f"the contenders wrote different examples: {digests}"
                )
        return {"events": num_events, "results": results}


def _print(title: str, name: str, result: dict) -> None:
    text = f"{title:<24} {name:<16}"
    for clock in ("wall", "cpu"):
        text += f"{result[f'work_{clock}_sec']:>8.1f} s {clock}"
        if f"events_per_{clock}_sec" in result:
            text += f" {result[f'events_per_{clock}_sec']:>9,}/s"
    if "peak_memory_bytes" in result:
        text += f" {result['peak_memory_bytes'] / GIB:>6.2f} GiB"
    print(text, flush=True)


def ratios(part: dict, clock: str) -> dict[str, float]:
    """Returns how many times faster the columnar path is than each peer."""
    rate = {
        name: result[f"events_per_{clock}_sec"]
        for name, result in part["results"].items()
    }
    return {
        name: round(rate["columnar"] / other, 2)
        for name, other in rate.items()
        if name != "columnar"
    }


def main() -> None:
    """Parses the command line and runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--side-by-side-events", type=int, default=1_000_000, help="0: skip")
    add("--events", type=int, default=10_000_000, help="0: skip")
    add("--hot-user-events", type=int, default=1_000_000, help="one user's; 0: skip")
    add("--huge-events", type=int, default=0, help="columnar alone; 0: skip")
    add("--polars-python", default=".venv-benchmarks/bin/python")
    add("--scratch", help="folder for logs and outputs; default: the temporary one")
    add("--output", type=pathlib.Path)
    add("--beam-arg", action="append", default=[], dest="beam_args")
    options = parser.parse_args()
    bench = Bench(options)
    report: dict = {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "beam_args": options.beam_args,
    }
    if options.side_by_side_events:
        report["side_by_side"] = bench.race(
            "side by side",
            options.side_by_side_events,
            ["columnar", "polars", "per_event"],
            check=True,
        )
    if options.events:
        report["large"] = bench.race("large", options.events, ["columnar", "polars"])
    if options.hot_user_events:
        # The same number of rows, one user or none with half of them.
        num_events = 2 * options.hot_user_events
        report["hot_user"] = bench.race(
            "one hot user",
            num_events,
            ["columnar"],
            hot_users=1,
            hot_user_events=options.hot_user_events,
        )
        report["no_hot_user"] = bench.race(
            "no hot user", num_events, ["columnar"], hot_users=0
        )
    if options.huge_events:
        report["huge"] = bench.race("huge", options.huge_events, ["columnar"])
    for part in ("side_by_side", "large"):
        if part in report:
            for clock in ("wall", "cpu"):
                found = report[part][f"columnar_times_faster_by_{clock}"] = ratios(
                    report[part], clock
                )
                print(f"{part}: columnar is faster by {clock}: {found}")
    if "side_by_side" in report and "large" in report:
        small, large = (
            report[part]["results"]["columnar"] for part in ("side_by_side", "large")
        )
        report["growth"] = {
            clock: round(large[f"work_{clock}_sec"] / small[f"work_{clock}_sec"], 2)
            for clock in ("wall", "cpu")
        }
        times = report["large"]["events"] / report["side_by_side"]["events"]
        print(f"{times:g} times the events take {report['growth']} times as long")
    if options.output:
        options.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
