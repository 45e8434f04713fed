"""A small run's report files, written by hand."""

import copy
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

MODEL_ID = "0123456789abcdef0123456789abcdef"


def interval(value, low, high, count=100):
    return {"value": value, "low": low, "high": high, "count": count}


def nothing(count=0):
    return interval(None, None, None, count)


def item(item_id, *categories, creator="", action=None):
    described = {
        "item_id": item_id,
        "title": f"Title of {item_id}",
        "categories": list(categories),
        "creator_id": creator,
    }
    return described if action is None else {**described, "action": action}


ALIKE = {"audience": 0.3, "audience_nearest": 1.0, "category_overlap": 1.0}
"""To the disliked item of the example user."""
INGESTION = {
    "events_read": 1000,
    "events_kept": 940,
    "events_rejected": {"bad_timestamp": 10, "missing_item_id": 40},
    "events_deduplicated": 10,
    "users": 12,
    "items": 34,
    "interactions": 930,
    "examples": {"train": 20, "eval": 12, "test": 12},
    "labels": {
        "train": {"positive": 600, "negative": 200, "neutral": 0},
        "eval": {"positive": 10, "negative": 2, "neutral": 0},
        "test": {"positive": 9, "negative": 3, "neutral": 0},
    },
    "split_times_ms": None,
}
CATALOG = {
    "items_read": 50,
    "items_kept": 48,
    "items_rejected": {"missing_item_id": 2},
    "duplicates": 0,
    "source": "items",
    "with_title": 48,
    "with_categories": 24,
    "with_creator": 0,
    "with_created_at": 0,
}
TRAINING = [
    {"epoch": 1, "loss": 5.0, "val_ndcg@10": 0.02, "val_negative_ndcg@10": 0.01},
    {"epoch": 2, "loss": 4.0, "val_ndcg@10": 0.04, "val_negative_ndcg@10": 0.02},
    {"epoch": 3, "loss": 3.5, "val_ndcg@10": 0.03, "val_negative_ndcg@10": 0.02},
]
_METRICS = {
    "recall@10": interval(0.5, 0.4, 0.6),
    "ndcg@10": interval(0.3, 0.2, 0.4),
    "mrr": interval(0.25, 0.2, 0.3),
    "negative_recall@10": interval(0.1, 0.05, 0.15, 20),
    "negative_ndcg@10": interval(0.05, 0.01, 0.09, 20),
    "delta_ndcg@10": interval(0.25, 0.1, 0.4, 120),
    "coverage@10": interval(0.7, 0.6, 0.8),
    "index_recall@10": interval(0.99, 0.98, 1.0),
}
EVALUATION = {
    "model_id": MODEL_ID,
    "split": "test",
    "targets": 120,
    "users": 12,
    "candidates": 48,
    "metrics": _METRICS,
    "slices": {
        "history:short": {"recall@10": interval(0.5, 0.3, 0.7, 50)},
        "negative:explicit": {
            "recall@10": nothing(),
            "ndcg@10": nothing(),
            "negative_recall@10": interval(0.1, 0.05, 0.15, 20),
            "negative_ndcg@10": interval(0.05, 0.01, 0.09, 20),
        },
    },
    "baselines": {
        "popularity": {
            "metrics": {
                "recall@10": interval(0.3, 0.2, 0.4),
                "negative_recall@10": interval(0.2, 0.1, 0.3, 20),
            },
            "differences": {
                "recall@10": interval(0.2, 0.1, 0.3),
                "negative_recall@10": interval(-0.1, -0.2, -0.01, 20),
            },
        }
    },
}
RESPONSIVENESS = {
    "model_id": MODEL_ID,
    "control_action": "view",
    "simulations": 200,
    "distinct_users": 12,
    "trajectory_length": 50,
    "slate_size": 3,
    "content.dislike": {
        "control": 0.4,
        "treatment": 0.3,
        "responsiveness": -0.25,
        "low": -0.3,
        "high": -0.2,
        "simulations": 200,
    },
    "creator.dislike": {
        "control": None,
        "treatment": None,
        "responsiveness": None,
        "low": None,
        "high": None,
        "simulations": 0,
        "reason": "no item of the catalogue has a creator",
    },
    "examples": [
        {
            "action": "dislike",
            "item": item("a", "Drama", "Comedy"),
            "history": [item("x", "War", action="like|view")],
            "before": [
                {**item("b", "Comedy", "Drama"), "likeness": ALIKE},
                {**item("c", "Drama", "Comedy"), "likeness": ALIKE},
                {**item("d", "Drama"), "likeness": {"category_overlap": 0.4}},
            ],
            "after": [
                {**item("d", "Drama"), "likeness": {"category_overlap": 0.4}},
                {**item("b", "Comedy", "Drama"), "likeness": ALIKE},
                item("e"),
            ],
            "is_beside_before": True,
        }
    ],
}
PROMOTION = {
    "blessed": True,
    "model_id": MODEL_ID,
    "policy": {},
    "rules": [
        {
            "name": "evaluation_is_of_this_model",
            "observed": MODEL_ID,
            "required": f"== {MODEL_ID}",
            "passed": True,
        },
        {"name": "recall@10", "observed": 0.5, "required": ">= 0.02", "passed": True},
        {
            "name": "index_recall@10",
            "observed": 0.99,
            "required": ">= 0.95",
            "passed": True,
        },
    ],
}
FILES = {
    "ingestion.json": INGESTION,
    "catalog.json": CATALOG,
    "training_history.json": TRAINING,
    "evaluation.json": EVALUATION,
    "responsiveness.json": RESPONSIVENESS,
    "promotion.json": PROMOTION,
}


def write_predictions(path: pathlib.Path, rows: list[tuple]) -> None:
    """Rows are (target item, polarity, served items)."""
    targets, polarities, served = zip(*rows, strict=True)
    table = pa.table(
        {
            "user_id": pa.array([f"u{n}" for n in range(len(rows))]),
            "target_item_id": pa.array(targets, pa.string()),
            "target_polarity": pa.array(polarities, pa.string()),
            "top_item_ids": pa.array(served, pa.list_(pa.string())),
        }
    )
    pq.write_table(table, path)


PREDICTIONS = [
    ("a", "positive", ["a", "b"]),
    ("c", "positive", ["a", "b"]),
    ("b", "negative", ["a", "b"]),
]


def write_run(root: pathlib.Path, leave_out=(), **changed) -> pathlib.Path:
    """Writes the files; `changed` maps a file's stem to its other content."""
    folder = root / "reports"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        if name not in leave_out:
            content = changed.get(name.partition(".")[0], content)
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
    if "predictions.parquet" not in leave_out:
        write_predictions(folder / "predictions.parquet", PREDICTIONS)
    return root


def altered(content, *path, to):
    """Returns a copy with one place changed."""
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return content
