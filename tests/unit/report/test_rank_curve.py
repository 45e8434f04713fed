import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.report import rank_curve
from schema import errors
from tests.unit.report import report_run


def read(tmp_path, rows):
    path = tmp_path / "predictions.parquet"
    report_run.write_predictions(path, rows)
    return rank_curve.read(path)


def test_curve_by_hand(tmp_path):
    curves = read(
        tmp_path,
        [
            ("a", "positive", ["a", "b", "c"]),  # first
            ("c", "positive", ["a", "b", "c"]),  # third
            ("x", "positive", ["a", "b", "c"]),  # not served
            ("b", "negative", ["a", "b"]),  # second
        ],
    )
    assert curves["positive"].num_targets == 3
    assert curves["positive"].found[:4] == (1, 1, 2, 2)
    assert curves["positive"].recall(100) == pytest.approx(2 / 3)
    assert curves["negative"].found[:3] == (0, 1, 1)
    assert len(curves["negative"].found) == 100


def test_rows_without_recommendations_count_as_not_found(tmp_path):
    curves = read(
        tmp_path,
        [("a", "positive", []), ("b", "positive", ["a", "b"]), ("c", "neutral", None)],
    )
    assert curves["positive"].found[:2] == (0, 1)
    assert curves["neutral"].found[99] == 0


def test_longer_lists_are_counted_to_the_hundredth(tmp_path):
    served = [f"i{n}" for n in range(150)]
    curves = read(tmp_path, [("i99", "positive", served), ("i100", "positive", served)])
    assert curves["positive"].found[98:] == (0, 1)


def test_batches_change_nothing_and_agree_with_a_plain_loop(tmp_path, monkeypatch):
    rng = random.Random(3)
    items = [f"i{n}" for n in range(12)]
    rows = [
        (rng.choice(items), rng.choice(["positive", "negative"]), rng.sample(items, 9))
        for _ in range(120)
    ]
    monkeypatch.setattr(rank_curve, "_BATCH_ROWS", 7)
    curves = read(tmp_path, rows)
    for polarity in ("positive", "negative"):
        chosen = [row for row in rows if row[1] == polarity]
        expected = [
            sum(target in served[:k] for target, _, served in chosen)
            for k in range(1, 101)
        ]
        assert list(curves[polarity].found) == expected
        assert 0 < expected[0] < expected[8] < len(chosen)


def test_no_rows_no_curves(tmp_path):
    path = tmp_path / "predictions.parquet"
    schema = pa.schema(
        {
            "target_item_id": pa.string(),
            "target_polarity": pa.string(),
            "top_item_ids": pa.list_(pa.string()),
        }
    )
    pq.write_table(schema.empty_table(), path)
    assert rank_curve.read(path) == {}


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "predictions.parquet"
    pq.write_table(pa.table({"user_id": ["u"], "target_item_id": ["a"]}), path)
    with pytest.raises(errors.InputError, match=r"target_polarity, top_item_ids is"):
        rank_curve.read(path)


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    path = tmp_path / "predictions.parquet"
    path.write_text("no")
    with pytest.raises(errors.InputError, match=r"predictions\.parquet: expected a Pa"):
        rank_curve.read(path)
