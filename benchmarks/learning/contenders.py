"""The contenders; each runs in a process, and an environment, of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from benchmarks.learning import task

ROOT = pathlib.Path(__file__).parents[2]
PEERS_PYTHON = ROOT / ".venv-learning-peers" / "bin" / "python"


@dataclasses.dataclass(frozen=True)
class Contender:
    """What the table says of a contender, and the module that runs it."""

    what: str
    module: str
    tower: str
    """`gru` or `transformer`: who is compared with whom."""
    one_position: bool = False
    """It trains one position an example, not all positions of a window."""

    @property
    def is_own(self) -> bool:
        """Whether it runs in Heed's environment."""
        return self.module in ("heed_contender", "tutorial_contender")


CONTENDERS = {
    "heed_gru": Contender("Heed as it ships", "heed_contender", "gru"),
    "heed_gru_positives": Contender(
        "Heed, every interaction a positive label", "heed_contender", "gru"
    ),
    "torch_gru": Contender("PyTorch, all positions", "torch_contender", "gru"),
    "recbole_gru4rec": Contender("RecBole", "recbole_contender", "gru", True),
    "tfrs_tutorial": Contender("TFRS tutorial", "tutorial_contender", "gru", True),
    "heed_transformer": Contender("Heed as it ships", "heed_contender", "transformer"),
    "heed_transformer_positives": Contender(
        "Heed, every interaction a positive label", "heed_contender", "transformer"
    ),
    "torch_transformer": Contender(
        "PyTorch, all positions", "torch_contender", "transformer"
    ),
    "recbole_sasrec": Contender("RecBole", "recbole_contender", "transformer", True),
}


def run(job: task.Task, module: str | None = None) -> dict[str, Any]:
    """Runs a task and returns its result; an equal task that was run is not repeated.

    Args:
      job: the task.
      module: instead of the contender's own.

    Raises:
      RuntimeError: the contender failed; its last words are in the message.
    """
    contender = CONTENDERS[job.contender]
    folder = pathlib.Path(job.output)
    result, asked = folder / task.RESULT_FILE, folder / task.TASK_FILE
    if result.is_file() and asked.is_file() and task.read(str(asked)) == job:
        return json.loads(result.read_text())
    result.unlink(missing_ok=True)
    path = job.write()
    module = module or contender.module
    is_own = contender.is_own or module.startswith("heed_")
    python = sys.executable if is_own else str(PEERS_PYTHON)
    if not pathlib.Path(python).exists():
        raise RuntimeError(
            "the peers' environment is missing: make setup-learning-peers"
        )
    threads = str(job.threads)
    environment = {
        **os.environ,
        "TF_USE_LEGACY_KERAS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
    }
    with open(folder / "process.log", "w+", encoding="utf-8") as log:
        done = subprocess.run(
            [python, "-W", "ignore", "-m", f"benchmarks.learning.{module}", str(path)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            check=False,
        )
        if done.returncode:
            log.seek(0)
            last = "".join(log.readlines()[-15:])
            raise RuntimeError(f"{job.contender} failed ({folder}):\n{last}")
    return json.loads(result.read_text())
