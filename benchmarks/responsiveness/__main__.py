"""Measures power and honesty on planted logs: `python -m benchmarks.responsiveness`.

Synthetic logs say how strongly users avoid what resembles their dislikes. On the
strongest one the five arms are trained and compared; on weaker ones the arm that sees
dislikes as a feature alone, so that the strength must come back in order; the published
figures stand beside. Every model goes through the whole pipeline, so the gate's verdict
is part of the result.

The strength is read from the feature arm because labels answer another question: where
nobody avoids what was disliked, it is met and disliked again more often, and the more
such labels, the more they teach.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from schema import reports, settings

PAPER = {
    "none": {"content": 0.0, "creator": 0.0},
    "feature": {"content": -0.227, "creator": -0.228},
    "feature_and_label": {"content": -0.608, "creator": -0.641},
}
"""Wang et al., RecSys 2023, arXiv:2308.12256."""
ARMS = ("none", "drop", "label", "feature", "feature_and_label")
KINDS = ("content", "creator", "cooccurrence")
METRICS = ("recall@10", "negative_recall@10", "delta_ndcg@10", "ndcg@10")
SHIPPED = "feature_and_label + similar set"
"""What `heed run` trains by default; the other rows hold the paper's loss alone."""
STRONGEST = 0.9
PLANTED = {
    # Few clusters and many aversions: a small log must show what follows a dislike.
    # One exposure in five to what a user has turned against is disliked, so that
    # without avoidance a dislike changes little of what comes next.
    "clusters": 10,
    "candidates": 24,
    "cluster_aversion_share": 0.5,
    "creator_aversion_share": 0.3,
    "dislike_propensity": 0.2,
    "drift": 0.0,
    "existing_share": 1.0,
    "heavy_user_share": 0.0,
}


def settings_for(options: argparse.Namespace, log: pathlib.Path, **changes: Any) -> Any:
    """Returns the configuration of one training."""
    from pipeline import config

    values = {
        "data.events": log / "events.parquet",
        "data.items": log / "items.parquet",
        "data.split": "leave_last_out",
        "data.example_shards": 1,
        "history.max_length": 60,
        "history.min_context": 20,
        "model.embedding_dim": 32,
        "model.hidden_dim": 64,
        "train.epochs": options.epochs,
        "train.batch_size": 16,
        "train.learning_rate": 3e-3,
        "train.learning_rate_schedule": "cosine",
        "train.early_stopping_epochs": 0,
        # The paper's loss, but for the row of what is shipped: over the whole corpus,
        # what was met before included.
        "train.filter_history": False,
        "model.avoidance_strength": 0.0,
        "train.dislike_dropout": 0.0,
        "train.consumption_weight": 0.0,
        "evaluation.max_targets": 2_000,
        "evaluation.bootstrap_samples": 300,
        "responsiveness.simulations": options.simulations,
        "responsiveness.trajectory_length": options.steps,
        "responsiveness.decay_steps": 5,
        "serving_check.num_requests": 10,
        "serving_check.max_latency_p99_ms": 10_000.0,
        **{key.replace("__", "."): value for key, value in changes.items()},
    }
    return config.load(None, [f"{key}={value}" for key, value in values.items()]).config


def synthesize(
    options: argparse.Namespace, avoidance: float, folder: pathlib.Path
) -> pathlib.Path:
    """Writes a planted log and returns its directory."""
    from pipeline.synthesize import settings as synthesis_settings
    from pipeline.synthesize import writer

    log = folder / f"log-{avoidance}"
    writer.synthesize(
        synthesis_settings.SynthesisSettings(
            users=options.users,
            items=options.items,
            events=options.events,
            seed=options.seed,
            avoidance=avoidance,
            **PLANTED,
        ),
        log,
    )
    return log


def read(path: pathlib.Path, kind: type[reports.ReportT]) -> reports.ReportT:
    """Returns a report that must be there."""
    report = reports.read(path, kind)
    if report is None:
        raise FileNotFoundError(path)
    return report


def points(curve: Mapping[str, Sequence[reports.CurvePoint]]) -> list[dict[str, Any]]:
    """Returns the points of the content curve; none where it was not measured."""
    return [point.model_dump(exclude_unset=True) for point in curve.get("content", ())]


def train(
    config: Any, root: pathlib.Path, label: str, avoidance: float
) -> dict[str, Any]:
    """Runs the pipeline once, prints a line, and returns the figures."""
    from pipeline.runners import local

    begin, cpu = time.monotonic(), time.process_time()
    local.run(config, str(root))
    folder = root / "reports"
    evaluation = read(folder / reports.EVALUATION_FILE, reports.Evaluation)
    found = read(folder / reports.RESPONSIVENESS_FILE, reports.Responsiveness)
    promotion = read(folder / reports.PROMOTION_FILE, reports.Promotion)
    popularity = evaluation.baselines["popularity"].metrics["recall@10"]
    names = {"responsiveness", "low", "high", "control"}
    row = {
        "label": label,
        "arm": config.model.negative_signal,
        "avoidance": avoidance,
        "avoidance_strength": config.model.avoidance_strength,
        "negative_weight": config.train.negative_weight,
        **{k: found.effects[k]["dislike"].model_dump(include=names) for k in KINDS},
        "dose_response": points(found.dose_response),
        "decay": points(found.decay),
        "collateral": found.collateral["content"].model_dump(exclude_unset=True),
        **{name: evaluation.metrics[name].model_dump() for name in METRICS},
        "popularity_recall@10": popularity.model_dump(),
        "blessed": promotion.blessed,
        "refused_by": [rule.name for rule in promotion.rules if not rule.passed],
        "wall_sec": round(time.monotonic() - begin, 1),
        "cpu_sec": round(time.process_time() - cpu, 1),
    }
    effects = "  ".join(
        f"{k} {row[k]['responsiveness']:+6.1%} "
        f"({row[k]['low']:+.1%} .. {row[k]['high']:+.1%})"
        for k in KINDS
    )
    refusal = f"refused by {', '.join(row['refused_by'])}"
    verdict = "blessed" if row["blessed"] else refusal
    print(
        f"{avoidance:>4} {label:<28} {effects}  recall@10 "
        f"{row['recall@10']['value']:.3f}  {verdict}",
        flush=True,
    )
    return row


def beside(path: pathlib.Path) -> dict[str, Any]:
    """Prints and returns what a real log gave; empty where there is no such report."""
    found = reports.read(path, reports.Responsiveness)
    if found is None:
        return {}
    effects = {k: found.effects[k]["dislike"].responsiveness for k in KINDS}
    shown = "  ".join(
        f"{k} {'not measured' if v is None else format(v, '+.1%')}"
        for k, v in effects.items()
    )
    print(f"real log ({path}): {shown}")
    for arm, published in PAPER.items():
        listed = "  ".join(f"{k} {v:+.1%}" for k, v in published.items())
        print(f"published, {arm}: {listed}")
    return effects


def checks(rows: list[dict[str, Any]]) -> dict[str, bool]:
    """Returns what must hold, and whether it does."""
    by_arm = {
        r["arm"]: r
        for r in rows
        if r["avoidance"] == STRONGEST and r["label"] == r["arm"]
    }
    by_strength = sorted(
        (r for r in rows if r["label"] == "feature"),
        key=lambda r: r["avoidance"],
    )
    (shipped,) = (r for r in rows if r["label"] == SHIPPED)
    result = {}
    for kind in ("content", "creator"):
        value = {arm: row[kind]["responsiveness"] for arm, row in by_arm.items()}
        result[f"{kind}: arms none and label are exactly 0"] = (
            value["none"] == value["label"] == 0.0
        )
        result[f"{kind}: feature answers, feature and label answers more"] = (
            value["feature_and_label"] < value["feature"] < 0.0
        )
        strength = [row[kind]["responsiveness"] for row in by_strength]
        result[f"{kind}: stronger avoidance, stronger answer"] = strength == sorted(
            strength, reverse=True
        )
        value[SHIPPED] = shipped[kind]["responsiveness"]
        for label in ("feature", "feature_and_label", SHIPPED):
            published = PAPER[label.partition(" ")[0]][kind]
            result[f"{kind}: {label} reaches the published {published:+.1%}"] = (
                value[label] <= published
            )
    result["a model without the signal is refused"] = not by_arm["none"]["blessed"]
    result["a model that heeds is blessed"] = by_arm["feature_and_label"]["blessed"]
    return result


def main() -> None:
    """Parses the command line and runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=3_000)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--simulations", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--negative-weight", type=float, default=2.0)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--avoidance", default="0,0.5", help="weaker logs; empty: none")
    parser.add_argument(
        "--real",
        type=pathlib.Path,
        default=pathlib.Path("runs/sample/reports/responsiveness.json"),
        help="report of a run on a real log, to stand beside; skipped where missing",
    )
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from absl import logging

    logging.set_verbosity(logging.ERROR)
    arms = [arm for arm in options.arms.split(",") if arm]
    weaker = [float(a) for a in options.avoidance.split(",") if a]
    rows = []
    with tempfile.TemporaryDirectory(prefix="heed-responsiveness-") as name:
        folder = pathlib.Path(name)
        for avoidance in [STRONGEST, *weaker]:
            log = synthesize(options, avoidance, folder)
            root = folder / f"run-{avoidance}"
            for arm in arms if avoidance == STRONGEST else ["feature"]:
                config = settings_for(
                    options,
                    log,
                    model__negative_signal=arm,
                    train__negative_weight=options.negative_weight,
                )
                rows.append(train(config, root, arm, avoidance))
        shipped = settings.TrainSettings()
        config = settings_for(
            options,
            folder / f"log-{STRONGEST}",
            model__avoidance_strength=settings.ModelSettings().avoidance_strength,
            train__dislike_dropout=shipped.dislike_dropout,
            train__consumption_weight=shipped.consumption_weight,
            train__filter_history=shipped.filter_history,
        )
        root = folder / f"run-{STRONGEST}"
        rows.append(train(config, root, SHIPPED, STRONGEST))
    outcome = checks(rows) if set(arms) == set(ARMS) else {}
    for text, holds in outcome.items():
        print(f"{'holds' if holds else 'FAILS'}: {text}")
    real = beside(options.real)
    report = {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "options": {k: str(v) for k, v in vars(options).items()},
        "published": PAPER,
        "real_log": real,
        "rows": rows,
        "checks": outcome,
    }
    if options.output:
        options.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
