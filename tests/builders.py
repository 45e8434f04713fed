"""Small inputs of the tests: reports, windows, histories. No TensorFlow here."""

from __future__ import annotations

import numpy as np

MODEL_ID = "model-1"


def interval(value, low=None, high=None, count=100):
    """One metric as `evaluation.json` holds it."""
    return {
        "value": value,
        "low": value if low is None else low,
        "high": value if high is None else high,
        "count": count,
    }


def effect(responsiveness, high=None, simulations=100):
    """One similarity as `responsiveness.json` holds it."""
    return {
        "control": 0.5,
        "treatment": 0.5 * (1 + responsiveness),
        "responsiveness": responsiveness,
        "low": responsiveness - 0.1,
        "high": responsiveness + 0.1 if high is None else high,
        "simulations": simulations,
    }


def unsupported(reason="no two items of the catalogue have the same creator"):
    """A similarity that the catalogue cannot support."""
    return {
        **dict.fromkeys(("control", "treatment", "responsiveness", "low", "high")),
        "simulations": 0,
        "reason": reason,
    }


def evaluation_report(
    recall=0.1, index_recall=0.99, lift=0.05, last_blessed=None, model_id=MODEL_ID
):
    """A good `evaluation.json`; `last_blessed` is (its recall@10, interval high)."""
    report = {
        "model_id": model_id,
        "metrics": {
            "recall@10": interval(recall),
            "index_recall@10": interval(index_recall),
        },
        "baselines": {"popularity": {"differences": {"recall@10": interval(lift)}}},
    }
    if last_blessed is not None:
        before, high = last_blessed
        report["baselines"]["last_blessed"] = {
            "recall@10": interval(before),
            "differences": {"recall@10": interval(high - 0.01, high=high)},
        }
    return report


def responsiveness_report(content=-0.5, creator=-0.5, model_id=MODEL_ID):
    """A good `responsiveness.json`; None: the catalogue does not support it."""
    return {
        "model_id": model_id,
        "simulations": 100,
        "content.dislike": unsupported() if content is None else effect(content),
        "creator.dislike": unsupported() if creator is None else effect(creator),
        "cooccurrence.dislike": effect(-0.3),
    }


def serving_check_report(failures=(), model_id=MODEL_ID):
    """A `serving_check.json`."""
    return {"model_id": model_id, "failures": list(failures)}


def ids(*names):
    """An object array of bytes."""
    return np.array([n if isinstance(n, bytes) else n.encode() for n in names], object)


def id_rows(*rows):
    """A rectangular object array of bytes, padded with b"" at the end."""
    width = max((len(row) for row in rows), default=0)
    padded = np.full((len(rows), width), b"", object)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = ids(*row) if row else target[:0]
    return padded
