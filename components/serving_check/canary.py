"""The canary: runs in a process of its own, as the first client of a new model.

    python -m components.serving_check.canary MODEL_DIR EXACT_DIR REQUESTS_FILE

It prints one JSON object. What it proves is that a process that never saw the
training can load the export, that the signature is the one promised, and that the
answers are those of the exact twin.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

_K = 10
# Sums of float32 differ in their last bits with the size of the batch.
_SAME_SCORE = 1e-3
# What two approximate searches for one query share at least: one in a batch looks
# deeper where another request excludes more, and finds what the other has missed.
_LEAST_SHARED = 0.5


def run(model_dir: str, exact_dir: str, requests_file: str) -> dict[str, Any]:
    """Replays requests one by one and as a batch, and compares.

    Args:
      model_dir: the servable model.
      exact_dir: its exact twin.
      requests_file: `.npz` with `item_id`, `action`, `timestamp`, `value`, each
        [requests, length].

    Returns:
      model_digest, load_sec, latency percentiles in ms, the largest score difference
      to the twin on items that both return, which share of the twin's items is returned
      at all, and counts of wrong answers.
    """
    from serving.bundle import saved_model

    started = time.monotonic()
    model = saved_model.load_exported(model_dir)
    load_sec = time.monotonic() - started
    exact = saved_model.load_exported(exact_dir)
    with np.load(requests_file) as stored:
        item_id = stored["item_id"].astype(object)
        action = stored["action"].astype(object)
        arrays = (item_id, action, stored["timestamp"], stored["value"])

    def answer(
        asked: saved_model.RetrievalModel, rows: slice, length: int | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        ids, actions, timestamps, values = (a[rows, :length] for a in arrays)
        return asked.recommend(ids, actions, timestamps, values, _K)

    answer(model, slice(0, 1))  # warm-up
    latencies_ms = []
    repeated = 0
    incomplete = 0
    difference = 0.0
    overlaps = []
    single = []
    for row in range(len(item_id)):
        one = slice(row, row + 1)
        started = time.monotonic()
        served_id, score = answer(model, one)
        latencies_ms.append(1_000.0 * (time.monotonic() - started))
        single.append((served_id[0], score[0]))
        shown = [item for item in served_id[0] if item]
        met = set(item_id[row].tolist())
        repeated += len(shown) - len(set(shown) - met)
        incomplete += len(shown) < _K
        exact_id, exact_score = answer(exact, one)
        by_item = dict(zip(exact_id[0].tolist(), exact_score[0].tolist(), strict=True))
        wanted = {item for item in by_item if item}
        overlaps.append(len(wanted & set(shown)) / max(1, len(wanted)))
        for item, value in zip(served_id[0].tolist(), score[0].tolist(), strict=True):
            if item in by_item and item:
                difference = max(difference, abs(value - by_item[item]))
    together = zip(*answer(model, slice(None)), strict=True)
    is_exact = model.manifest["index"]["kind"] == "exact"
    cold, _ = answer(model, slice(0, 1), length=0)
    return {
        "model_digest": model.digest,
        "load_sec": round(load_sec, 3),
        "requests": len(latencies_ms),
        "latency_p50_ms": round(float(np.percentile(latencies_ms, 50)), 3),
        "latency_p99_ms": round(float(np.percentile(latencies_ms, 99)), 3),
        "max_score_difference": difference,
        "exact_overlap": round(float(np.mean(overlaps)), 4),
        "repeated_or_seen_items": int(repeated),
        "incomplete_answers": int(incomplete),
        "batch_disagreements": sum(
            _disagree(*one, *other, is_exact)
            for one, other in zip(single, together, strict=True)
        ),
        "empty_history_items": int((cold != b"").sum()),
    }


def _disagree(
    item_id: NDArray[np.object_],
    score: NDArray[np.float32],
    other_item_id: NDArray[np.object_],
    other_score: NDArray[np.float32],
    is_exact: bool,
) -> bool:
    """Returns whether two answers differ by more than their search explains.

    Exact search explains the order of equal scores. An index also explains items that
    only one of two searches has found, up to half of them; never another score.
    """
    one = {item: s for item, s in zip(item_id, score, strict=True) if item}
    other = {i: s for i, s in zip(other_item_id, other_score, strict=True) if i}
    if len(one) != len(other):
        return True
    if not is_exact:
        shared = one.keys() & other.keys()
        return len(shared) < _LEAST_SHARED * len(one) or any(
            abs(one[item] - other[item]) > _SAME_SCORE for item in shared
        )
    # The last place may fall to another item of the same score.
    last = min(one.values(), default=0.0)
    return any(
        abs(one.get(item, last) - other.get(item, last)) > _SAME_SCORE
        for item in one.keys() | other.keys()
    )


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(run(*sys.argv[1:4])) + "\n")
