"""What holds user ids is readable by its owner alone, hashed where that is asked."""

import types

import numpy as np

from components.evaluation import predictions
from pipeline.runners import reports


def table_of(users):
    index = types.SimpleNamespace(item_id=np.array([b"i1", b"i2"], object))
    return types.SimpleNamespace(
        index=index,
        user_id=np.array(users, object),
        item_id=np.array([b"i1"] * len(users), object),
        polarity=np.array(["positive"] * len(users)),
    )


TOP = np.array([[0, 1], [1, -1], [0, 1]], np.int32)


def test_predictions_and_their_copy_are_private(tmp_path):
    folder = tmp_path / "artifacts" / "Evaluation" / "evaluation" / "7"
    folder.mkdir(parents=True)
    found = predictions.of_lists(table_of([b"u1", b"u2", b"u1"]), TOP)
    predictions.write(str(folder / "predictions.parquet"), found)
    (folder / "evaluation.json").write_text("{}")
    reports.clear(str(tmp_path))
    reports.publish_of_failed(str(tmp_path), "Evaluation")
    copy = tmp_path / "reports" / "predictions.parquet"
    for path in (folder / "predictions.parquet", copy):
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "reports" / "evaluation.json").stat().st_mode & 0o044


def test_hashed_users_stay_apart_and_cannot_be_read():
    found = predictions.of_lists(table_of([b"u1", b"u2", b"u1"]), TOP, True)
    first, other, again = found["user_id"].to_pylist()
    assert first == again != other
    assert "u1" not in first
    assert len(first) == 32
