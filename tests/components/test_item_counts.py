"""Counts of items come from the labels of the training split, and from nothing else."""

import collections
import functools
import os
import random

from tests.components import tiny_pipeline
from tests.properties import event_oracle, ingestion_runs


def rows_by_three_users():
    rnd = random.Random(7)
    return [
        event_oracle.Row(
            f"u{rnd.randrange(3)}",
            # Items of the last fifth of the time are found there alone.
            f"i{rnd.randrange(5)}" if number < 160 else f"late{rnd.randrange(5)}",
            str(2_000_000 + number),
            rnd.choice(["like", "view", "dislike", "seen"]),
        )
        for number in range(200)
    ]


def as_columns(example):
    user, elements = example
    items, times, actions, values, present, labels = map(
        list, zip(*elements, strict=True)
    )
    return {
        "user_id": [user],
        "item_id": items,
        "timestamp": times,
        "action": actions,
        "value": values,
        "value_present": present,
        "is_label": labels,
    }


def test_item_counts_of_overlapping_windows(tmp_path):
    from components.transform import events

    rows = rows_by_three_users()
    rules = event_oracle.Rules(
        ingestion_runs.POLARITY, split="global_time", max_length=8, min_context=5
    )
    ingestion_runs.write_file(tmp_path / "a.csv", rows)
    report = ingestion_runs.ingest(tmp_path, [tmp_path / "a.csv"], rules)
    cut = report["split_times_ms"][0]
    expected = collections.Counter(
        row.item_id for row in rows if int(row.timestamp) < cut
    )
    train = [as_columns(example) for example in report["examples"]["train"]]
    held_out = [as_columns(example) for example in report["examples"]["eval"]]
    in_windows = sum(len(columns["item_id"]) for columns in train)
    assert in_windows > 1.5 * sum(expected.values())
    assert any(b"late" in item for row in held_out for item in row["item_id"])

    folder = str(tmp_path / "transform")
    tiny_pipeline.transform(
        train,
        {"eval": held_out},
        "events_schema.pbtxt",
        functools.partial(
            events.preprocessing_fn,
            custom_config={"feedback": ingestion_runs.feedback().to_json()},
        ),
        folder,
    )
    path = os.path.join(folder, "transform_fn", "assets", "item_counts")
    with open(path, encoding="utf-8") as file:
        counts = dict(reversed(line.split()) for line in file)
    assert {item: int(count) for item, count in counts.items()} == expected
