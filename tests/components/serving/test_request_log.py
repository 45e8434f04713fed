"""What is served is logged, and the next run's skew check reads it."""

import json
import signal

import pyarrow as pa
import pytest
from tensorflow_data_validation import StatsOptions
from tensorflow_data_validation.statistics import stats_impl

from components.anomaly_check import check
from components.anomaly_check import config as check_config
from schema import errors
from serving import client, requests
from tests.components.serving import tiny_model

HISTORY = [("i3", "view", 1, 0.5), ("i4", "dislike|view", 2, None)]
EVENTS = [requests.Event(*row) for row in HISTORY]


def training_statistics(actions):
    """Statistics of 120 windows, each with these sets of actions."""
    column = pa.array([[action.encode() for action in actions]] * 120)
    batch = pa.RecordBatch.from_arrays([column], ["action"])
    return stats_impl.generate_statistics_in_memory(batch, StatsOptions())


def skew_check(log, actions):
    chosen = check_config.AnomalyCheckConfig(
        max_drift={},
        max_drift_key="checks.max_event_drift",
        max_skew={"action": 0.1},
        min_examples=100,
        request_log=log,
    )
    report = check.check(
        {"train": training_statistics(actions)},
        {"train": {}},
        {},
        "",
        chosen,
        {"train": len(actions)},
    )
    check.raise_on_moves(report, chosen.max_drift_key)
    return report.root["train"].skew


def test_served_requests_are_held_against_the_next_training_data(
    start_server, tiny_model_dir, tmp_path
):
    models_dir, log = tmp_path / "heed", tmp_path / "log"
    models_dir.mkdir()
    (models_dir / "1").symlink_to(tiny_model_dir)
    process = start_server(models_dir, request_log_dir=str(log))
    for protocol, rows in {"grpc": 100, "rest": 20}.items():
        target = f"127.0.0.1:{process.ready[f'{protocol}_port']}"
        with client.RecommendClient(target, protocol=protocol, deadline_sec=60) as heed:
            heed.recommend_many([EVENTS] * rows, k=2)
    process.process.send_signal(signal.SIGTERM)
    assert process.wait() == 0

    files = list(log.iterdir())
    assert [path.suffix for path in files] == [".jsonl"]
    logged = [json.loads(line) for line in files[0].open()]
    assert len(logged) == 120
    slate = tiny_model.expected_slate(HISTORY, 2)
    for line in logged:
        shown = zip(line["slate_item_id"], line["slate_score"], strict=True)
        assert list(shown) == slate
        assert line["version"] == 1

    skew = skew_check(str(log / "requests-*.jsonl"), ["view", "dislike|view"])
    assert (skew.requests, skew.bad_lines) == (120, 0)
    assert skew.features["action"].value == pytest.approx(0, abs=1e-6)
    # Other training data than what is asked: the run stops.
    with pytest.raises(errors.InputError, match="feature action: skew 1 against"):
        skew_check(str(log / "requests-*.jsonl"), ["like", "like"])
