"""Measures the index: `python -m benchmarks.retrieval --output results.json`.

Each contender answers the same 1,000 queries over the same candidates, in a process of
its own: our index tuned by itself, exact search as the endpoint does it, FAISS (exact,
IVF, IVF with codes, HNSW) and hnswlib. On a machine that does other work compare the
CPU time (`--speed cpu`). `calibrate` prints the prices of `search_cost`.
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

import numpy as np

from benchmarks.retrieval import plot, vectors

ROOT = pathlib.Path(__file__).parents[2]
PEERS = ("faiss_exact", "faiss_ivf_flat", "faiss_ivf_pq", "faiss_hnsw", "hnswlib")
_NUM_QUERIES = 1_000
_GOAL_RECALL = 0.99


def call(python: str, arguments: list[str], cores: int) -> dict:
    """Runs a contender on so many cores and returns what it printed last."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(cores),
        "TF_NUM_INTRAOP_THREADS": str(cores),
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_USE_LEGACY_KERAS": "1",
    }
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    done = subprocess.run(
        [python, "-W", "ignore", "-m", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        # Before any library counts the cores.
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    if done.returncode:
        raise RuntimeError(f"{arguments} failed:\n{done.stderr[-2_000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def prepare(folder: str, number: int, code_dim: int = 0) -> None:
    """Writes the vectors of one size."""
    base = pathlib.Path(folder)
    candidate, (query, tuning_query) = vectors.add_codes(
        vectors.draw("candidate", number, seed=1),
        [vectors.draw("query", _NUM_QUERIES, 2), vectors.draw("query", 1_000, 3)],
        code_dim,
        seed=4,
    )
    np.save(base / "candidate.npy", candidate)
    np.save(base / "query.npy", query)
    np.save(base / "tuning_query.npy", tuning_query)


def run(
    number: int,
    threads: list[int],
    peers: str | None,
    names: list[str],
    code_dim: int = 0,
) -> dict:
    """Measures one size; returns results by number of threads and contender."""
    results: dict[str, dict] = {str(n): {} for n in threads}
    with tempfile.TemporaryDirectory(prefix="heed-retrieval-") as folder:
        prepare(folder, number, code_dim)
        for count in threads:
            for name, what in (("exact", "exact"), ("heed", "index")):
                found = call(
                    sys.executable, ["benchmarks.retrieval.ours", folder, what], count
                )
                results[str(count)][name] = found
                _print(number, count, name, found)
        for name in names if peers else []:
            counts = ",".join(map(str, threads))
            found = call(
                peers,
                ["benchmarks.retrieval.peers", folder, name, counts],
                os.cpu_count() or 1,
            )
            for count in threads:
                points = [p for p in found["points"] if p["threads"] == count]
                results[str(count)][name] = {**found, "points": points}
                _print(number, count, name, results[str(count)][name])
    return results


def _print(number: int, threads: int, name: str, result: dict) -> None:
    best = at_goal(result["points"], "queries_per_cpu_sec")
    built = result.get("tuning_sec", result.get("build_sec", 0.0))
    memory = result.get("index_bytes", 0) / 2**20
    speed = (
        "misses .99"
        if best is None
        else (
            f"{best['queries_per_wall_sec']:>9,.0f}/s wall "
            f"{best['queries_per_cpu_sec']:>9,.0f}/s CPU at {best['recall']:.4f}"
        )
    )
    print(
        f"{number:>9,} x {threads} {name:<15} {speed}  built in {built:.0f} s, "
        f"{memory:,.0f} MiB",
        flush=True,
    )


def at_goal(points: list[dict], speed: str) -> dict | None:
    """Returns the fastest point of recall .99 or more."""
    good = [point for point in points if point["recall"] >= _GOAL_RECALL]
    return max(good, key=lambda point: point[speed], default=None)


def ratios(results: dict, speed: str) -> dict[str, float]:
    """Returns how many times faster we are than each contender at recall .99."""
    own = at_goal(results["heed"]["points"], speed)
    found = {}
    for name, result in results.items():
        other = at_goal(result["points"], speed)
        if own and other and name != "heed":
            found[name] = round(own[speed] / other[speed], 2)
    return found


def main() -> None:
    """Parses the command line and runs the benchmark."""
    # The codes are a layer of Keras 2.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", nargs="?", default="compare", choices=["compare", "calibrate"]
    )
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument(
        "--peers", default=str(ROOT / ".venv-retrieval-peers/bin/python")
    )
    parser.add_argument("--contenders", default=",".join(PEERS))
    parser.add_argument("--speed", default="wall", choices=["wall", "cpu"])
    parser.add_argument(
        "--code-dim",
        type=int,
        default=0,
        help="Avoidance codes of so many dimensions in candidates and queries.",
    )
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    if options.what == "calibrate":
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="heed-retrieval-") as folder:
                prepare(folder, size, options.code_dim)
                call(sys.executable, ["benchmarks.retrieval.ours", folder, "exact"], 1)
                found = call(
                    sys.executable,
                    ["benchmarks.retrieval.ours", folder, "calibrate"],
                    1,
                )
                print(f"{size:,}: {json.dumps(found)}", flush=True)
        return
    peers = options.peers if pathlib.Path(options.peers).exists() else None
    if peers is None:
        print("no peers: `make setup-retrieval-peers` makes their environment")
    speed = f"queries_per_{options.speed}_sec"
    report: dict = {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "queries": _NUM_QUERIES,
        "code_dim": options.code_dim,
        "sizes": {},
    }
    for size in sizes:
        threads = [int(n) for n in options.threads.split(",")]
        names = [name for name in options.contenders.split(",") if name]
        results = run(size, threads, peers, names, options.code_dim)
        compared = {count: ratios(found, speed) for count, found in results.items()}
        report["sizes"][str(size)] = {
            "threads": results,
            "times_faster_at_.99": compared,
        }
        print(f"{size:,} candidates, heed is faster at recall .99 by: {compared}")
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")
        plot.draw(report, options.output.with_suffix(".png"), speed)


if __name__ == "__main__":
    main()
