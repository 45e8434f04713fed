"""The highest rate over REST by wrk, whose threads cost the machine next to nothing."""

from __future__ import annotations

import pathlib
import re
import subprocess
from typing import Any

SCRIPT = pathlib.Path(__file__).with_name("wrk.lua")
_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


def run(
    target: str, folder: pathlib.Path, callers: int, seconds: float
) -> dict[str, Any]:
    """Returns what wrk measured with kept-alive connections that wait for answers."""
    command = ["wrk", "--threads", "1", "--connections", str(callers)]
    command += ["--duration", f"{max(1, round(seconds))}s", "--latency"]
    command += ["--timeout", "60s", "--script", str(SCRIPT), f"http://{target}"]
    command += ["--", *map(str, sorted(folder.glob("*.rest")))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {"callers": callers, **parse(done.stdout)}


def parse(printed: str) -> dict[str, Any]:
    r"""Returns rate, p50, p99 and failures of what wrk prints.

    Example:
      >>> parse("  50%  1.50ms\n  99%  1.20s\nRequests/sec:  812.34\n")
      {'answered_per_sec': 812.3, 'failed': 0, 'p50_ms': 1.5, 'p99_ms': 1200.0}
    """
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    took = dict(re.findall(r"^\s+(50|99)%\s+([\d.]+[a-z]+)", printed, re.MULTILINE))
    if rate is None or set(took) != {"50", "99"}:
        raise ValueError(f"wrk printed no rate and no latencies: {printed[-500:]!r}")
    statuses = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    sockets = re.search(r"Socket errors: (.+)", printed)
    failed = int(statuses[1]) if statuses else 0
    failed += sum(map(int, re.findall(r"\d+", sockets[1]))) if sockets else 0
    return {
        "answered_per_sec": round(float(rate[1]), 1),
        "failed": failed,
        "p50_ms": _milliseconds(took["50"]),
        "p99_ms": _milliseconds(took["99"]),
    }


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()
    return round(float(number) * _MS[unit], 2)
