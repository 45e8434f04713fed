"""Starts the canary in a process of its own and judges what it saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np
from absl import logging
from numpy.typing import NDArray

from components import held_out
from schema import reports, settings
from serving.bundle import manifest

# How much an index must find is the gate's to say, on many more requests; half is
# what no index of the right candidates falls short of.
_LEAST_OVERLAP = 0.5


def check(
    model_dir: str,
    exact_dir: str,
    example_files: list[str],
    policy: settings.ServingCheckSettings,
) -> reports.ServingCheck:
    """Returns what the canary saw, and what is wrong with it.

    Args:
      model_dir: the servable model.
      exact_dir: its exact twin.
      example_files: raw event examples, whose first windows are the requests.
      policy: the section.
    """
    windows = []
    for window in held_out.read_windows(example_files):
        windows.append(held_out.Target(window, len(window.item_id)))
        if len(windows) == policy.num_requests:
            break
    arrays: tuple[NDArray[Any], ...] = held_out.request_arrays(windows)
    described = manifest.read(model_dir)
    content: dict[str, Any] = {"model_id": described.get("model_id")}
    with tempfile.TemporaryDirectory() as directory:
        requests_file = os.path.join(directory, "requests.npz")
        names = ("item_id", "action", "timestamp", "value")
        np.savez(
            requests_file,
            **{
                name: array.astype(bytes) if array.dtype == object else array
                for name, array in zip(names, arrays, strict=True)
            },
        )
        content.update(
            _run_canary(model_dir, exact_dir, requests_file, policy.timeout_sec)
        )
    failures = judge(
        content, described.get("num_candidates", 0), arrays[0].shape[1], policy
    )
    content["failures"] = [*content.get("failures", []), *failures]
    return reports.ServingCheck(**content)


def _run_canary(
    model_dir: str, exact_dir: str, requests_file: str, timeout_sec: int
) -> dict[str, Any]:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment = {
        **os.environ,
        "TF_USE_LEGACY_KERAS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(
            [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }
    command = [
        sys.executable,
        "-m",
        "components.serving_check.canary",
        model_dir,
        exact_dir,
        requests_file,
    ]
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_sec,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {
            "failures": [
                f"no answer within {timeout_sec} s; raise `serving_check.timeout_sec` "
                "if the model is that large"
            ]
        }
    if done.returncode:
        logging.error("canary failed:\n%s", done.stderr)
        last_line = (done.stderr.strip().splitlines() or ["(no output)"])[-1]
        return {"failures": [f"a fresh process cannot serve the model: {last_line}"]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def judge(
    seen: dict[str, Any],
    num_candidates: int,
    history_length: int,
    policy: settings.ServingCheckSettings,
) -> list[str]:
    """Returns what is wrong with the canary's figures, as sentences.

    Args:
      seen: what the canary printed; empty of figures if it failed.
      num_candidates: size of the catalogue.
      history_length: longest history among the requests.
      policy: the limits.
    """
    if "requests" not in seen:
        return []
    failures = []
    if not seen["latency_p99_ms"] <= policy.max_latency_p99_ms:
        failures.append(
            f"latency p99 {seen['latency_p99_ms']} ms is above "
            f"`serving_check.max_latency_p99_ms` {policy.max_latency_p99_ms}"
        )
    if not seen["max_score_difference"] <= policy.score_tolerance:
        failures.append(
            f"scores differ from the exact twin by "
            f"{seen['max_score_difference']:.2g}, above "
            f"`serving_check.score_tolerance` {policy.score_tolerance}: the index was "
            "not built from this model's candidates"
        )
    if not seen["exact_overlap"] >= _LEAST_OVERLAP:
        failures.append(
            f"only {seen['exact_overlap']:.0%} of what the exact twin recommends is "
            "served: the index is stale or was not built from this model's candidates"
        )
    if seen["repeated_or_seen_items"]:
        failures.append(
            f"{seen['repeated_or_seen_items']} recommendations are repeated or already "
            "in the history: ids are looked up in another vocabulary than the "
            "candidates' (off by one?)"
        )
    if seen["incomplete_answers"] and num_candidates >= history_length + 10:
        failures.append(
            f"{seen['incomplete_answers']} answers hold fewer items than asked for"
        )
    if seen["batch_disagreements"]:
        failures.append(
            f"{seen['batch_disagreements']} requests are answered otherwise in a batch"
        )
    if not seen["empty_history_items"]:
        failures.append("an empty history gets no recommendation")
    return failures
