"""Measures ingestion: `python -m benchmarks.ingestion --output results.json`.

Makes a synthetic log, runs each contender in a process of its own, checks that all
wrote the same examples, and prints events a second by the clock and by CPU time. On a
machine that does other work, compare CPU time.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import hashlib
import json
import os
import pathlib
import platform
import struct
import subprocess
import sys
import tempfile
import time

from benchmarks.ingestion import contenders, synthetic_log

ROOT = pathlib.Path(__file__).parents[2]


def measure(name: str, log: pathlib.Path, output: pathlib.Path, beam_args) -> dict:
    """Runs one contender and returns what it took.

    Returns:
      `wall_sec`, `cpu_sec` (children included) and `peak_memory_bytes`; imports count.
    """
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.ingestion.contenders"]
    begin = time.monotonic()
    process = subprocess.Popen(
        [*command, name, str(log), str(output), *beam_args],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{name} failed with exit code {process.returncode}")
    return {
        "wall_sec": round(time.monotonic() - begin, 2),
        "cpu_sec": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_memory_bytes": usage.ru_maxrss * 1024,
    }


def digest(output: pathlib.Path) -> tuple[int, str]:
    """Returns how many examples a contender wrote, and a digest of their content."""
    from tensorflow.core.example import example_pb2

    seen = []
    for split in contenders.SPLITS:
        for path in sorted((output / f"Split-{split}").glob("*.gz")):
            data = gzip.decompress(path.read_bytes())
            at = 0
            while at < len(data):
                (length,) = struct.unpack_from("<Q", data, at)
                record = data[at + 12 : at + 12 + length]
                example = example_pb2.Example.FromString(record)
                content = example.SerializeToString(deterministic=True)
                seen.append(hashlib.sha256(split.encode() + content).digest())
                at += 16 + length
    return len(seen), hashlib.sha256(b"".join(sorted(seen))).hexdigest()


def run(num_events: int, names: list[str], check: bool, beam_args) -> dict:
    """Runs some contenders on one log."""
    results = {}
    with tempfile.TemporaryDirectory(prefix="heed-ingestion-") as folder:
        base = pathlib.Path(folder)
        synthetic_log.write_log(base / "log", num_events)
        digests = set()
        for name in names:
            output = base / name
            result = measure(name, base / "log", output, beam_args)
            for clock in ("wall", "cpu"):
                seconds = result[f"{clock}_sec"]
                result[f"events_per_{clock}_sec"] = round(num_events / seconds)
            results[name] = result
            if check:
                digests.add(digest(output))
            print(
                f"{num_events:>11,} {name:<10} {result['wall_sec']:>7.1f} s wall "
                f"{result['cpu_sec']:>7.1f} s CPU "
                f"{result['events_per_wall_sec']:>9,}/s wall "
                f"{result['events_per_cpu_sec']:>9,}/s CPU "
                f"{result['peak_memory_bytes'] / 2**30:>5.2f} GiB",
                flush=True,
            )
        if len(digests) > 1:
            raise RuntimeError(f"the contenders wrote different examples: {digests}")
    return results


def ratios(results: dict) -> dict[str, float]:
    """Returns how many times faster the columnar path is, by CPU time."""
    own = results["columnar"]["events_per_cpu_sec"]
    return {
        name: round(own / result["events_per_cpu_sec"], 2)
        for name, result in results.items()
        if name != "columnar"
    }


def main() -> None:
    """Parses the command line and runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument(
        "--side-by-side-events", type=int, default=1_000_000, help="0: skip"
    )
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--beam-arg", action="append", default=[], dest="beam_args")
    options = parser.parse_args()
    report = {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "beam_args": options.beam_args,
    }
    if options.side_by_side_events:
        names = ["columnar", "in_memory", "per_event"]
        results = run(options.side_by_side_events, names, True, options.beam_args)
        report["side_by_side"] = {
            "events": options.side_by_side_events,
            "results": results,
            "columnar_times_faster_by_cpu": ratios(results),
        }
        print("columnar is faster by CPU time:", ratios(results))
    if options.events:
        results = run(
            options.events, ["columnar", "in_memory"], False, options.beam_args
        )
        report["large"] = {"events": options.events, "results": results}
    if options.output:
        options.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
