"""The index of IndexBuilder, and exact search as the endpoint does it.

python -m benchmarks.retrieval.ours FOLDER exact|index|calibrate
"""

from __future__ import annotations

import itertools
import pathlib
import sys

import numpy as np
import scipy.optimize
import tensorflow as tf

from benchmarks.retrieval import measuring
from components.index_builder import scann_index, search_cost, tuning
from schema import settings

_SHARES = (0.01, 0.02, 0.04, 0.06, 0.1, 0.15, 0.18, 0.22, 0.26, 0.3)
_REORDERED = (200, 300, 400, 500, 700, 1_000, 2_000)


def exact(folder: str) -> dict:
    """Measures exact search, and writes the truth if it is not there."""
    candidate, query, truth = measuring.load(folder)
    if not len(truth):
        truth = tuning.exact_rows(query, candidate, measuring.K)
        np.save(pathlib.Path(folder) / "truth.npy", truth)
    few = query[: max(16, min(len(query), 2**25 // len(candidate)))]

    def search() -> np.ndarray:
        return tuning.exact_rows(few, candidate, measuring.K)

    return {"points": [measuring.point({}, search, truth[: len(few)])]}


def searcher(layer: scann_index.TunableScann, query: np.ndarray, effort):
    """Returns a call that answers all queries with an effort."""
    layer.effort = effort
    queries, k = tf.constant(query), tf.constant(measuring.K)
    return lambda: layer(queries, k)[1].numpy()


def index(folder: str) -> dict:
    """Lets the index tune itself to .99 on other queries, then draws its curve."""
    candidate, query, truth = measuring.load(folder)
    tuned_on = np.load(pathlib.Path(folder) / "tuning_query.npy")
    with measuring.Build() as build:
        result = tuning.tune(
            candidate, tuned_on, settings.IndexSettings(recall_target=0.992)
        )
    if result.layer is None:
        return {**build.report, "points": [], "reason": result.reason}
    chosen = result.layer.effort
    points = [
        measuring.point(
            {**vars(result.layer.shape), **vars(effort), "chosen": effort == chosen},
            searcher(result.layer, query, effort),
            truth,
        )
        for effort in [
            chosen,
            *(
                scann_index.SearchEffort(
                    max(1, round(share * result.layer.shape.num_leaves)), reordered
                )
                for share, reordered in itertools.product(_SHARES, _REORDERED)
            ),
        ]
    ]
    with measuring.Build() as single:
        scann_index.TunableScann(candidate, result.layer.shape)
    return {
        "tuning_sec": build.report["build_sec"],
        "tuning_cpu_sec": build.report["build_cpu_sec"],
        **single.report,
        "settings_tried": len(result.curve),
        "points": points,
    }


def calibrate(folder: str) -> dict:
    """Fits the prices of `search_cost` to CPU time; run it on one core."""
    candidate, query, truth = measuring.load(folder)
    number, root = len(candidate), len(candidate) ** 0.5
    rows, times = [], []
    for factor, block in itertools.product((1, 2, 4), search_cost.CODE_NS):
        shape = scann_index.IndexShape(round(factor * root), block)
        layer = scann_index.TunableScann(candidate, shape)
        for share, reordered in itertools.product((0.01, 0.05, 0.2), (200, 1_000)):
            searched = max(1, round(share * shape.num_leaves))
            effort = scann_index.SearchEffort(searched, reordered)
            measured = measuring.point({}, searcher(layer, query, effort), truth)
            scored = number * searched / shape.num_leaves
            of_block = [scored * (block == b) for b in search_cost.CODE_NS]
            rows.append([1.0, shape.num_leaves, reordered, *of_block])
            times.append(1e9 / measured["queries_per_cpu_sec"])
    weight = 1.0 / np.array(times)
    prices, _ = scipy.optimize.nnls(
        np.array(rows) * weight[:, None], np.ones(len(rows))
    )
    fitted = np.array(rows) @ prices
    speed = exact(folder)["points"][0]["queries_per_cpu_sec"]
    names = [
        "fixed",
        "centroid",
        "reorder",
        *(f"code_{b}" for b in search_cost.CODE_NS),
    ]
    return {
        "ns": {
            "exact": round(1e9 / speed / number, 2),
            **dict(zip(names, np.round(prices, 3).tolist(), strict=True)),
        },
        "median_relative_error": round(
            float(np.median(np.abs(fitted / times - 1.0))), 3
        ),
    }


if __name__ == "__main__":
    contenders = {"exact": exact, "index": index, "calibrate": calibrate}
    measuring.write(contenders[sys.argv[2]](sys.argv[1]))
