"""Tables and ratios of the measured results."""

from __future__ import annotations

import os
import pathlib
import platform
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.learning import contenders

_OWN = {"gru": "heed_gru", "transformer": "heed_transformer"}


def hardware() -> dict[str, Any]:
    """Returns processor, cores, memory, load, and the commit that was measured."""
    info = pathlib.Path("/proc/cpuinfo")
    names = [
        line.split(":", 1)[1].strip()
        for line in (info.read_text().splitlines() if info.is_file() else [])
        if line.startswith("model name")
    ]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(contenders.ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_before": os.getloadavg()[0],
        "commit": git("rev-parse", "HEAD"),
        "has_local_changes": bool(git("status", "--porcelain")),
    }


def rates(epochs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Returns positions a second, by the clock and by CPU time, over all entries.

    Example:
      >>> rates([{"labels": 10, "wall_sec": 1.0, "cpu_sec": 2.0}])
      {'per_wall_sec': 10.0, 'per_cpu_sec': 5.0}
    """
    labels = sum(epoch["labels"] for epoch in epochs)
    return {
        "per_wall_sec": labels / sum(epoch["wall_sec"] for epoch in epochs),
        "per_cpu_sec": labels / sum(epoch["cpu_sec"] for epoch in epochs),
    }


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Returns a markdown table; floats get four digits."""

    def cell(value: Any) -> str:
        if value is None:
            return "-"
        if isinstance(value, float):
            return f"{value:.4f}" if abs(value) < 10 else f"{value:,.0f}"
        return str(value)

    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    lines += ["| " + " | ".join(cell(v) for v in row) + " |" for row in rows]
    return "\n".join(lines)


def speed_ratios(results: Mapping[str, Mapping[str, Any]], clock: str) -> dict:
    """Returns Heed's rate over each peer's with the same kind of query tower.

    Args:
      results: rates by contender.
      clock: `per_wall_sec` or `per_cpu_sec`.
    """
    found = {}
    for name, result in results.items():
        tower = contenders.CONTENDERS[name].tower
        for own in (_OWN[tower], f"{_OWN[tower]}_positives"):
            if own in results and not name.startswith("heed"):
                found[f"{own} / {name}"] = round(results[own][clock] / result[clock], 2)
    return found


def speed_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the table of positions a second."""
    rows = [
        [
            name,
            contenders.CONTENDERS[name].what,
            result["per_wall_sec"],
            result["per_cpu_sec"],
            f"{result['peak_memory_bytes'] / 2**30:.2f} GiB",
        ]
        for name, result in results.items()
    ]
    header = ["contender", "what", "positions/s", "positions/CPU s", "peak memory"]
    return table(header, rows)


def input_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the table of input alone beside training."""
    rows = [
        [
            name,
            result["input"]["per_wall_sec"],
            result["training"]["per_wall_sec"],
            f"{result['times_faster']:.1f}",
            f"{result['share_of_cpu']:.1%}",
        ]
        for name, result in results.items()
    ]
    header = ["", "input, positions/s", "training", "ratio", "input's share of CPU"]
    return table(header, rows)


def accuracy_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the table of each contender's best grid point, on the test split."""
    metrics = [
        "all_ndcg@10",
        "all_recall@10",
        "ndcg@10",
        "recall@10",
        "negative_ndcg@10",
        "delta_ndcg@10",
    ]
    rows = []
    for name, result in results.items():
        best = result["seeds"][0]
        rows.append(
            [
                name,
                contenders.CONTENDERS[name].what,
                *(result["test"][metric] for metric in metrics),
                best["eval"]["all_ndcg@10"],
                f"{best['learning_rate']:g}, {best['dropout']:g}",
                f"{best['epochs']}" + " (budget)" * best["stopped_by_budget"],
                f"{best['process_cpu_sec']:,.0f}",
            ]
        )
    header = ["contender", "what", *metrics, "eval", "rate, dropout", "epochs", "CPU s"]
    return table(header, rows)
