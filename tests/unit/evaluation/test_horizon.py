import ir_measures
import numpy as np
import pytest

from components import held_out
from components.evaluation import horizon, item_index
from schema import settings

NAMES = [f"i{n:02}".encode() for n in range(40)]
INDEX = item_index.ItemIndex(NAMES)
DAY_MS = 86_400_000


def window(user, elements, num_context=1):
    """Elements are (item number, action, day)."""
    return held_out.Window(
        user_id=user,
        item_id=np.array([NAMES[item] for item, _, _ in elements], object),
        timestamp=np.array([int(day * DAY_MS) for *_, day in elements], np.int64),
        action=np.array([action.encode() for _, action, _ in elements], object),
        value=np.full(len(elements), np.nan, np.float32),
        is_label=np.arange(len(elements)) >= num_context,
    )


def table_of(windows, **evaluation):
    targets = held_out.targets(iter(windows), 0, 1)
    given = {"bootstrap_samples": 20, **evaluation}
    return targets, horizon.HorizonTable(
        targets,
        INDEX,
        settings.FeedbackSettings(),
        settings.EvaluationSettings(**given),
    )


def test_what_follows_within_a_week_is_judged_together():
    _, table = table_of(
        [
            window(
                b"u",
                [
                    (0, "view", 0),
                    (1, "view", 1),
                    (2, "dislike", 3),
                    (3, "skip|view", 8),  # a week after the first to the millisecond
                    (4, "dislike", 8.1),
                ],
            )
        ]
    )
    # Served to the first request: 2 first, 1 third, nothing of the rest.
    top = np.full((4, 10), 30)
    top[0, :3] = [2, 20, 1]

    found = table.relevance(top, (2, 10))

    value = {name: interval.value for name, interval in found.items()}
    log3 = np.log2(3)
    assert value == pytest.approx(
        {
            "horizon_recall@2": 0.0,
            "horizon_ndcg@2": 0.0,
            "negative_horizon_recall@2": 1 / 2,
            "negative_horizon_ndcg@2": 1 / (1 + 1 / log3),
            "delta_horizon_ndcg@2": -1 / (1 + 1 / log3),
            "horizon_recall@10": 1.0,
            "horizon_ndcg@10": 1 / 2,
            "negative_horizon_recall@10": 1 / 2,
            "negative_horizon_ndcg@10": 1 / (1 + 1 / log3),
            "delta_horizon_ndcg@10": 1 / 2 - 1 / (1 + 1 / log3),
        }
    )
    assert all(interval.count == 1 for interval in found.values())


def test_each_user_counts_once_from_the_first_request():
    targets, table = table_of(
        [
            window(b"u", [(0, "view", 5), (1, "view", 6), (2, "view", 7)]),
            window(b"v", [(3, "view", 1)], num_context=0),
            window(b"u", [(4, "view", 1), (5, "view", 2)]),
        ]
    )

    first = [targets[row].item_id for row in table.target_row]
    assert first == [NAMES[3], NAMES[5]]


def test_list_that_begins_with_all_that_was_liked_is_one_and_not_more():
    """In this order the ten gains add up to more than the ideal by rounding."""
    places = [9, 3, 0, 4, 6, 8, 1, 5, 2, 7]
    liked = [(number, "like", 1) for number in range(10)]
    _, table = table_of([window(b"u", [(30, "view", 0), *liked])])
    top = np.full((10, 20), -1, np.int32)
    top[:, places] = np.arange(10)

    found = table.relevance(top, (10, 20))

    assert found["horizon_ndcg@10"].value == 1.0
    assert found["horizon_ndcg@20"].high == 1.0


def test_horizon_metrics_are_those_of_ir_measures(rng):
    """Many users with several likes and dislikes each."""
    actions = ["like", "view", "skip", "dislike"]
    windows = []
    for user in range(120):
        items = rng.choice(40, 9, replace=False)
        chosen = rng.choice(actions, 9)
        windows.append(
            window(
                b"u%03d" % user,
                [(i, a, 0.1 * n) for n, (i, a) in enumerate(zip(items, chosen))],  # noqa: B905
            )
        )
    targets, table = table_of(windows)
    top = np.stack([rng.permutation(40)[:20] for _ in targets])

    found = table.relevance(top, (5, 20))

    run = [
        ir_measures.ScoredDoc(str(user), str(item), -float(place))
        for user, row in enumerate(table.target_row)
        for place, item in enumerate(top[row])
    ]
    for prefix, of_sign in (("", {"like", "view"}), ("negative_", {"skip", "dislike"})):
        qrels = []
        for user, row in enumerate(table.target_row):
            seen = targets[row].window
            for item, action in zip(seen.item_id[1:], seen.action[1:], strict=True):
                if action.decode() in of_sign:
                    number = NAMES.index(item)
                    qrels.append(ir_measures.Qrel(str(user), str(number), 1))
        for k in (5, 20):
            measures = {"recall": ir_measures.R @ k, "ndcg": ir_measures.nDCG @ k}
            theirs = ir_measures.calc_aggregate(list(measures.values()), qrels, run)
            for name, measure in measures.items():
                ours = found[f"{prefix}horizon_{name}@{k}"]
                assert ours.value == pytest.approx(theirs[measure], abs=1e-9)
