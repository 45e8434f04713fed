"""Runs contenders in processes of their own, and compares what they wrote."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

from benchmarks.ingestion import rules

ROOT = pathlib.Path(__file__).parents[2]


def contender(
    name: str, log: pathlib.Path, output: pathlib.Path, python: str, arguments
) -> dict:
    """Runs one contender and returns what it took.

    Returns:
      `wall_sec` and `cpu_sec` of the whole process, `work_wall_sec` and `work_cpu_sec`
      without imports, `peak_memory_bytes`.
    """
    module = "benchmarks.ingestion.contender"
    begin = time.monotonic()
    process = subprocess.Popen(
        [python, "-W", "ignore", "-m", module, name, str(log), str(output), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        text=True,
    )
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{name} failed with exit code {process.returncode}")
    return {
        **json.loads(printed.splitlines()[-1]),
        "wall_sec": round(time.monotonic() - begin, 2),
        "cpu_sec": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_memory_bytes": usage.ru_maxrss * 1024,
    }


def python_of(name: str, polars_python: str) -> str:
    """Returns the interpreter of a contender; "" if it is not installed."""
    if name != "polars":
        return sys.executable
    return polars_python if shutil.which(polars_python) else ""


def digest(output: pathlib.Path) -> tuple[int, str]:
    """Returns how many examples a contender wrote, and a digest of their content."""
    from tensorflow.core.example import example_pb2

    seen = []
    for split in rules.SPLITS:
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
