"""Evidence with missing parts, or of next to nothing, is refused: policy says of what.

What a report lacks is never a reason to ask for less.
"""

import copy

import pytest

from tests import builders
from tests.unit.promotion_gate.gate import assert_blessed, decide, failed, hint

EFFECT = "category_overlap.dislike"
BLOCKS = (
    "persistence",
    "replay",
    "short_histories",
    "kept",
    "collateral",
    "specificity",
    "concentration",
    EFFECT,
    "audience_nearest.dislike",
    "creator.dislike",
)


def without(report, *path):
    """The report without one part."""
    changed = copy.deepcopy(report)
    part = changed
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return changed


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_that_is_deleted_refuses(block):
    assert failed(
        decide(responsiveness=without(builders.responsiveness_report(), block))
    )


@pytest.mark.parametrize(
    "path",
    [
        (EFFECT, "high"),
        (EFFECT, "net_high"),
        (EFFECT, "responsiveness"),
        (EFFECT, "net_responsiveness"),
        (EFFECT, "simulations"),
        ("replay", "creator", "net_high"),
        ("replay", "creator", "simulations"),
        ("kept", "dislike", "of_before"),
        ("kept", "dislike", "simulations"),
        ("collateral", "content", "low"),
        ("collateral", "content", "simulations"),
        ("specificity", "category_overlap", "low"),
        ("concentration", "content", "low"),
        ("distinct_users",),
        ("model_id",),
        ("examples_uri",),
    ],
)
def test_a_part_that_is_deleted_refuses(path):
    assert failed(
        decide(responsiveness=without(builders.responsiveness_report(), *path))
    )


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ((EFFECT, "high"), float("-inf")),
        ((EFFECT, "low"), -0.3),
        ((EFFECT, "treatment"), 7.0),
        ((EFFECT, "before"), -0.1),
        ((EFFECT, "responsiveness"), -1.5),
        (("kept", "dislike", "of_before"), 1.2),
        ((EFFECT, "simulations"), 1),
        (("persistence", "events:5", "creator", "simulations"), 1),
        (("replay", "category_overlap", "simulations"), 1),
        (("short_histories", "audience_nearest", "simulations"), 1),
        (("kept", "dislike", "simulations"), 1),
        (("collateral", "creator", "simulations"), 1),
        (("concentration", "creator", "low"), float("inf")),
        (("concentration", "creator", "simulations"), 1),
        (("distinct_users",), 2),
    ],
)
def test_what_cannot_be_or_proves_nothing_refuses(path, number):
    report = builders.responsiveness_report()
    part = report
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = number

    assert failed(decide(responsiveness=report))


@pytest.mark.parametrize("recall", [7.0, -0.1, float("nan"), float("inf")])
def test_recall_that_cannot_be_refuses(recall):
    report = builders.evaluation_report()
    report["metrics"]["recall@10"]["value"] = recall

    assert failed(decide(evaluation=report))


@pytest.mark.parametrize("users", [3, 0, None])
def test_recall_of_a_handful_of_users_refuses(users):
    report = {**builders.evaluation_report(), "users": users}

    verdict = decide(evaluation=report)

    assert failed(verdict) == ["evaluated_users"]
    assert "is chance" in hint(verdict, "evaluated_users")


@pytest.mark.parametrize(
    ("which", "split"), [("event_anomalies", "train"), ("catalog_anomalies", "catalog")]
)
@pytest.mark.parametrize("examples", [0, None, "no split"])
def test_anomalies_of_nothing_refuse(which, split, examples):
    report = builders.anomaly_report()
    if examples == "no split":
        del report[split]
    else:
        report[split]["examples"] = examples

    verdict = decide(**{which: report})

    name = which.replace("_anomalies", "_data_anomalies")
    assert failed(verdict) == [name]
    assert "nothing was looked at" in hint(verdict, name)


def test_an_eval_split_may_be_empty():
    report = builders.anomaly_report()
    report["eval"]["examples"] = 0

    assert_blessed(decide(event_anomalies=report))


@pytest.mark.parametrize("requests", [0, None])
def test_a_serving_check_without_requests_refuses(requests):
    report = {**builders.serving_check_report(), "requests": requests}

    assert failed(decide(serving_check=report)) == ["serving_check_requests"]
