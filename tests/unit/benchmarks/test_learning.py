"""The learning benchmark's log, filter and metrics, by hand-worked values."""

import math

import numpy as np
import pytest

from benchmarks.learning import accuracy, contenders, metrics, report, task
from benchmarks.learning import log as neutral


def make_log() -> neutral.Log:
    """Two users over six items; the last two elements of each are held out."""
    item = np.array([0, 1, 2, 3, 4, 0, 5, 2], np.int32)
    return neutral.Log(
        user_begin=np.array([0, 5, 8]),
        item=item,
        split=np.array([0, 0, 0, 1, 2, 0, 1, 2], np.int8),
        polarity=np.array([1, -1, 1, 1, 1, 1, 1, -1], np.int8),
        timestamp=np.arange(8),
        action=np.array(["like"] * 8),
        value=np.full(8, np.nan, np.float32),
        item_id=np.array(list("abcdef")),
        window_start=np.array([0, 1, 5]),
        window_label=np.array([0, 2, 5]),
        window_end=np.array([2, 3, 6]),
    )


def test_histories_are_the_newest_elements_before_the_target():
    log = make_log()
    item, length = log.histories(log.targets(neutral.TEST), 3)
    assert item.tolist() == [[1, 2, 3], [0, 5, 6]]
    assert length.tolist() == [3, 2]


def test_every_training_element_is_a_label_once():
    log = make_log()
    item, is_label = log.windows(2)
    assert item.tolist() == [[0, 1], [1, 2], [0, 6]]
    assert is_label.tolist() == [[True, True], [False, True], [True, False]]
    assert is_label.sum() == log.num_train_labels == 4


def test_a_saved_log_is_read_back(tmp_path):
    log = make_log()
    log.save(tmp_path)
    again = neutral.load(tmp_path)
    assert again.item.tolist() == log.item.tolist()
    assert again.action.tolist() == log.action.tolist()
    assert again.item_id.tolist() == log.item_id.tolist()
    assert [p.name for p in tmp_path.iterdir()] == [neutral.LOG_FILE]


def test_the_whole_history_is_filtered_and_the_rest_ordered():
    log = make_log()
    target = log.targets(neutral.TEST)
    scores = np.array([[9, 8, 7, 6, 1, 2], [9, 3, 5, 4, 6, 8]], np.float32)
    # User 0 has met 0, 1, 2 and 3, user 1 has met 0 and 5.
    found = neutral.top_unseen(log, target, scores)
    assert found.tolist() == [[5, 4, -1, -1, -1, -1], [4, 2, 3, 1, -1, -1]]
    metrics.check_lists(log, target, found)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([[5, 4]], "expected 2 lists; got 1"),
        ([[5, 6], [4, 2]], "no candidate"),
        ([[5, 5], [4, 2]], "twice"),
        ([[5, 3], [4, 2]], "history"),
        ([[5, -1], [4, 2]], "holds 1 candidates, not 2"),
    ],
)
def test_a_contender_that_breaks_the_rules_is_refused(lists, message):
    log = make_log()
    with pytest.raises(ValueError, match=message):
        metrics.check_lists(log, log.targets(neutral.TEST), np.array(lists))


def test_metrics_by_hand():
    log = make_log()
    # The positive target 4 stands second, the negative target 2 first.
    lists = np.array([[5, 4, -1], [2, 4, 3]])
    found = metrics.measure(log, neutral.TEST, lists)
    second = 1 / math.log2(3)
    assert found["ndcg@10"] == pytest.approx(second)
    assert found["negative_ndcg@10"] == pytest.approx(1.0)
    assert found["delta_ndcg@10"] == pytest.approx(second - 1.0)
    assert found["all_ndcg@10"] == pytest.approx((second + 1.0) / 2)
    assert found["recall@10"] == found["all_recall@10"] == 1.0
    assert (found["positive_targets"], found["negative_targets"]) == (1, 1)


def test_the_tenth_place_counts_and_the_eleventh_does_not():
    lists = np.arange(20)[None]
    assert metrics.ndcg(metrics.ranks(lists, np.array([9]))) == 1 / math.log2(11)
    assert metrics.ndcg(metrics.ranks(lists, np.array([10]))) == 0.0
    assert metrics.ndcg(metrics.ranks(lists, np.array([99]))) == 0.0


def test_training_stops_after_its_patience():
    assert not task.should_stop([0.1, 0.3, 0.2], 2)
    assert task.should_stop([0.1, 0.3, 0.2, 0.3], 2)
    assert not task.should_stop([0.1, 0.1], 0)


def test_a_task_survives_its_file(tmp_path):
    job = task.Task("heed_gru", "data", str(tmp_path), "speed", overrides=("a.b=1",))
    assert task.read(str(job.write())) == job


def test_an_equal_task_is_not_run_again(tmp_path):
    job = task.Task("torch_gru", "data", str(tmp_path), "speed")
    job.write()
    (tmp_path / task.RESULT_FILE).write_text('{"epochs": []}')
    assert contenders.run(job) == {"epochs": []}


def test_ratios_compare_towers_of_one_kind():
    results = {
        "heed_gru": {"per_cpu_sec": 30.0},
        "torch_gru": {"per_cpu_sec": 20.0},
        "torch_transformer": {"per_cpu_sec": 1.0},
    }
    ratios = report.speed_ratios(results, "per_cpu_sec")
    assert ratios == {"heed_gru / torch_gru": 1.5}


def test_differences_are_paired_over_targets():
    gains = {"heed_gru": np.array([1.0, 0.5]), "torch_gru": np.array([0.5, 0.5])}
    (name, found), *others = accuracy._differences(gains).items()
    assert name == "heed_gru - torch_gru"
    assert not others
    # Differences .5 and 0: mean .25, standard deviation sqrt(.125), over sqrt(2).
    assert found == {"difference": 0.25, "standard_error": 0.25, "ratio": 1.5}
