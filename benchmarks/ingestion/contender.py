"""Runs one contender: `python -m benchmarks.ingestion.contender NAME LOG OUTPUT`.

Prints a JSON line with what its work took, imports left out.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

MODULES = {
    "columnar": "benchmarks.ingestion.columnar",
    "per_event": "benchmarks.ingestion.per_event",
    "polars": "benchmarks.ingestion.polars_script",
}


def main(name: str, log: str, output: str, *arguments: str) -> None:
    """Imports and runs it."""
    run = importlib.import_module(MODULES[name]).run
    wall, cpu = time.monotonic(), time.process_time()
    run(log, output, list(arguments))
    work = {
        "work_wall_sec": round(time.monotonic() - wall, 2),
        "work_cpu_sec": round(time.process_time() - cpu, 2),
    }
    print(json.dumps(work), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
