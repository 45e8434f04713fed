"""Runs the steps from a log to transformed examples: `... steps LOG ROOT [SET ...]`.

Prints a JSON line with what each step took, imports left out.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time


def cpu_sec() -> float:
    """Returns the CPU seconds of this process and of its children that ended."""
    return sum(os.times()[:4])


def run(log: pathlib.Path, root: pathlib.Path, overrides: list[str]) -> dict:
    """Returns wall and CPU seconds of each step; artifacts lie below the root."""
    from components.trainer.component import Trainer
    from pipeline import config as heed_config
    from pipeline.runners import local, nodes

    sources = [f"data.events={log / 'events.parquet'}"]
    sources.append(f"data.items={log / 'items.parquet'}")
    config = heed_config.load(None, [*sources, *overrides]).config
    ir = nodes.compile_pipeline(local.pipeline_in(str(root), config))
    nodes.set_run_id(ir, "benchmark")
    names = nodes.node_ids(ir)
    result = {}
    for node in names[: names.index(Trainer.__name__)]:
        wall, cpu = time.monotonic(), cpu_sec()
        nodes.launch(ir, node, "benchmark")
        result[node] = {
            "work_wall_sec": round(time.monotonic() - wall, 2),
            "work_cpu_sec": round(cpu_sec() - cpu, 2),
        }
    return result


def main(log: str, root: str, *overrides: str) -> None:
    """Runs the steps and prints what they took."""
    # TFRS refuses Keras 3, and the choice is made when TensorFlow loads.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    print(json.dumps(run(pathlib.Path(log), pathlib.Path(root), list(overrides))))


if __name__ == "__main__":
    main(*sys.argv[1:])
