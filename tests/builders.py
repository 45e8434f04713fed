"""Small inputs of the tests: reports, windows, histories. No TensorFlow here."""

from __future__ import annotations

import json

import numpy as np

from components.promotion_gate import demands, rules
from schema import reports

MODEL_ID = "model-1"
LAST_BLESSED_ID = "model-0"
MODEL_DIGEST = "0" * 64
EXAMPLES_URI = "/run/examples/1"


def interval(value, low=None, high=None, count=100):
    """One metric as `evaluation.json` holds it; ends that are not given: the value."""
    return {
        "value": value,
        "low": value if low is None else low,
        "high": value if high is None else high,
        "count": count,
    }


def effect(responsiveness, high=None, simulations=100, net=None):
    """One similarity as `responsiveness.json` holds it; before is as the control."""
    net = responsiveness if net is None else net
    return {
        "before": 0.5,
        "control": 0.5,
        "treatment": 0.5 * (1 + responsiveness),
        "responsiveness": responsiveness,
        "low": responsiveness - 0.1,
        "high": responsiveness + 0.1 if high is None else high,
        "net_responsiveness": net,
        "net_low": net - 0.1,
        "net_high": net + 0.1,
        "simulations": simulations,
    }


def unsupported(reason="no two items of the catalogue have the same creator"):
    """A similarity that the catalogue cannot support."""
    return {
        **dict.fromkeys(("before", "control", "treatment")),
        **dict.fromkeys(("responsiveness", "low", "high")),
        **dict.fromkeys(("net_responsiveness", "net_low", "net_high")),
        "simulations": 0,
        "reason": reason,
    }


def evaluation_report(
    recall=0.1, index_recall=0.99, lift=0.05, last_blessed=None, model_id=MODEL_ID
):
    """A good `evaluation.json`; `last_blessed` is (its recall@10, interval high)."""
    report = {
        "model_id": model_id,
        "model_digest": MODEL_DIGEST,
        "examples_uri": EXAMPLES_URI,
        "candidates": 1_000,
        "users": 60,
        "metrics": {
            "recall@10": interval(recall),
            "index_recall@10": interval(index_recall),
            "ndcg@10": interval(0.05),
            "delta_ndcg@10": interval(0.02, low=-0.01, high=0.05),
        },
        "baselines": {"popularity": {"differences": {"recall@10": interval(lift)}}},
    }
    if last_blessed is not None:
        before, high = last_blessed
        report["baselines"]["last_blessed"] = {
            "model_id": LAST_BLESSED_ID,
            "recall@10": interval(before),
            "negative_recall@10": interval(0.05),
            "differences": {
                "recall@10": interval(high - 0.01, high=high),
                "negative_recall@10": interval(0.0, low=-0.01, high=0.01),
            },
        }
    return report


def responsiveness_report(overlap=-0.5, creator=-0.5, nearest=-0.5, model_id=MODEL_ID):
    """A good `responsiveness.json`; None: nothing was measured by it."""
    measured = {
        "audience_nearest": nearest,
        "category_overlap": overlap,
        "creator": creator,
        "content": overlap,
        "cooccurrence": -0.4,
    }

    def effects():
        return {
            name: unsupported() if value is None else effect(value)
            for name, value in measured.items()
        }

    return {
        "model_id": model_id,
        "model_digest": MODEL_DIGEST,
        "examples_uri": EXAMPLES_URI,
        "simulations": 100,
        "explicit_actions": ["dislike"],
        "primary_action": "dislike",
        "collateral": {
            name: {**effect(-0.05), "low": -0.1}
            for name in ("content", "creator", "cooccurrence")
        },
        "persistence": {
            point: effects() for point in ("events:5", "events:20", "gap_ms:86400000")
        },
        "replay": effects(),
        "short_histories": effects(),
        "distinct_users": 60,
        "specificity": {
            name: {"difference": 0.2, "low": 0.1, "high": 0.3}
            for name in ("category_overlap", "creator")
        },
        "concentration": {
            name: {
                **{"entered": 0.2, "without": 0.2, "simulations": 100},
                **{"difference": 0.0, "low": -0.05, "high": 0.05},
            }
            for name in ("content", "creator", "cooccurrence")
        },
        "unheard": {
            situation: {name: interval(0.1) for name in measured}
            for situation in ("next_slate", "replay", "short_histories")
        },
        "slices": {
            name: {
                similarity: {**found, "simulations": 50}
                for similarity, found in effects().items()
            }
            for name in ("activity:low", "activity:high", "item:head", "item:tail")
        },
        "kept": {"dislike": {"of_before": 0.7, "of_control": 0.6, "simulations": 100}},
        **{f"{name}.dislike": found for name, found in effects().items()},
    }


def serving_check_report(failures=(), model_id=MODEL_ID):
    """A `serving_check.json`."""
    return {
        "model_id": model_id,
        "model_digest": MODEL_DIGEST,
        "failures": list(failures),
        "requests": 50,
    }


def anomaly_report(**found):
    """An `anomalies.json`; split to what was found in it."""
    splits = {"train": {}, "eval": {}, "catalog": {}, **found}
    return {name: {"examples": 10, "anomalies": a} for name, a in splits.items()}


REPORTS = {
    "evaluation": reports.Evaluation,
    "responsiveness": reports.Responsiveness,
    "serving_check": reports.ServingCheck,
    "event_anomalies": reports.Anomalies,
    "catalog_anomalies": reports.Anomalies,
}


def grounds(*catalogue, has_judge=True, explicit_actions=("dislike",)):
    """What the gate can ask by: the similarities that the catalogue supports."""
    return demands.Grounds(explicit_actions, has_judge, frozenset(catalogue))


FULL_CATALOGUE = ("category_overlap", "content", "creator")


def evidence(**changed):
    """What the gate is shown: good reports, as from their files, but for `changed`.

    A report is a dictionary, a model, or None: missing.
    """
    given = {
        "evaluation": evaluation_report(),
        "responsiveness": responsiveness_report(),
        "serving_check": serving_check_report(),
        "event_anomalies": anomaly_report(),
        "catalog_anomalies": anomaly_report(),
        "model_id": MODEL_ID,
        "model_digest": MODEL_DIGEST,
        "examples_uri": EXAMPLES_URI,
        "grounds": grounds(*FULL_CATALOGUE),
        **changed,
    }
    invalid = {}
    for name, kind in REPORTS.items():
        content = given[name]
        if content is None or isinstance(content, kind):
            continue
        try:
            given[name] = reports.parse(json.dumps(content), kind, f"{name}.json")
        except reports.InvalidReportError as error:
            given[name], invalid[name] = None, error.brief
    return rules.Evidence(**given, invalid=invalid)


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
