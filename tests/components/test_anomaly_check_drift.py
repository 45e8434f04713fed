"""Drift between spans and skew from logged requests, on statistics of TFDV."""

import gzip
import json
import os

import numpy as np
import pyarrow as pa
import pytest
from tensorflow_data_validation import StatsOptions
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import standard_artifacts

from components import artifacts
from components.anomaly_check import baseline, drift, executor, request_log
from schema import errors, reports, settings
from tests.components import fake_artifacts

SHARES = {"view": 0.6, "like": 0.2, "skip": 0.2}


def windows(num, shares=SHARES, length=10):
    """Windows whose actions have these shares exactly, in any order."""
    actions = [
        name for name, share in shares.items() for _ in range(round(share * length))
    ]
    return [{"action": [name.encode() for name in actions]} for _ in range(num)]


def statistics(rows):
    names = sorted({name for row in rows for name in row})
    batch = pa.RecordBatch.from_arrays(
        [pa.array([row.get(name) for row in rows]) for name in names], names
    )
    return stats_impl.generate_statistics_in_memory(batch, StatsOptions())


def divergence(p, q):
    """The textbook Jensen-Shannon divergence, logarithms to the base 2."""
    names = sorted({*p, *q})
    p, q = (np.array([x.get(name, 0.0) for name in names]) for x in (p, q))
    middle = (p + q) / 2

    def relative_entropy(x):
        present = x > 0
        return float(np.sum(x[present] * np.log2(x[present] / middle[present])))

    return (relative_entropy(p) + relative_entropy(q)) / 2


@pytest.mark.parametrize(
    "shares",
    [
        SHARES,
        {"view": 0.3, "like": 0.5, "skip": 0.2},
        {"view": 0.6, "like": 0.2, "dislike": 0.2},
        {"buy": 1.0},
    ],
)
def test_the_value_is_the_divergence_of_the_shares(shares):
    moves = drift.moves(
        statistics(windows(20, shares)), statistics(windows(30)), {"action": 0.05}
    )
    (move,) = moves.values()
    assert move.value == pytest.approx(divergence(shares, SHARES), abs=1e-6)
    assert move.allowed == (shares == SHARES)


def test_a_feature_that_one_side_alone_has_has_moved_entirely():
    with_value = [{**row, "value": [0.5]} for row in windows(5)]
    thresholds = {"value": 0.9, "of_neither": 0.1}
    one, other = statistics(windows(5)), statistics(with_value)
    for new, old in ((one, other), (other, one)):
        assert drift.moves(new, old, thresholds) == {
            "value": reports.Move(value=1.0, threshold=0.9, allowed=False)
        }


def test_nan_is_not_allowed():
    assert not drift.move(float("nan"), 1.0).allowed


# --- what is kept -----------------------------------------------------------------


def splits(shares=SHARES, num=200):
    empty = statistics(windows(1))
    empty.datasets[0].Clear()
    return {"train": statistics(windows(num, shares)), "eval": empty}


def test_the_newest_of_other_data_is_the_baseline(tmp_path):
    folder = str(tmp_path / "kept")
    first, second = splits(), splits({"view": 1.0})
    assert baseline.latest(folder, baseline.digest(first)) == ("", {})

    baseline.keep(folder, first)
    # A repeated run finds no news in itself.
    assert baseline.latest(folder, baseline.digest(first)) == ("", {})
    path, found = baseline.latest(folder, baseline.digest(second))
    assert found["train"] == first["train"]
    assert os.path.basename(path).startswith("000001-")

    baseline.keep(folder, second)
    assert (
        baseline.latest(folder, baseline.digest(second))[1]["train"] == (first["train"])
    )
    assert baseline.latest(folder, "0" * 16)[1]["train"] == second["train"]


def test_old_entries_go(tmp_path):
    for num in range(9):
        baseline.keep(str(tmp_path), {"train": statistics(windows(num + 1))})
        baseline.keep(str(tmp_path), {"train": statistics(windows(num + 1))})
    names = sorted(os.listdir(tmp_path))
    assert [name.split("-")[0] for name in names] == [
        f"{number:06d}" for number in range(5, 10)
    ]


# --- the executor -----------------------------------------------------------------


class Run:
    """Runs of the executor in one root, as spans come in."""

    def __init__(self, folder):
        self.folder = folder
        self.number = 0

    def __call__(self, by_split, **checks):
        self.number += 1
        root = self.folder / str(self.number)
        inputs = {}
        for kind, artifact_type, name in (
            ("statistics", standard_artifacts.ExampleStatistics, "FeatureStats.pb"),
            ("anomalies", standard_artifacts.ExampleAnomalies, "SchemaDiff.pb"),
        ):
            for split, message in by_split.items():
                if kind == "anomalies":
                    message = anomalies_pb2.Anomalies()
                path = root / kind / f"Split-{split}" / name
                path.parent.mkdir(parents=True)
                path.write_bytes(message.SerializeToString())
            inputs[kind] = [
                fake_artifacts.make(artifact_type, root / kind, list(by_split))
            ]
        report = fake_artifacts.make(artifacts.AnomalyReport, root / "report")
        self.report = root / "report" / "anomalies.json"
        found = settings.ChecksSettings(**checks)
        executor.Executor().Do(
            inputs,
            {"report": [report]},
            {
                "checks": json.dumps(
                    {
                        **found.model_dump(include={"max_skew", "min_examples"}),
                        "max_drift": found.max_event_drift,
                        "max_drift_key": "checks.max_event_drift",
                        "request_log": found.request_log,
                    }
                ),
                "baseline_dir": str(self.folder / "kept"),
            },
        )
        return json.loads(self.report.read_text())


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_the_first_span_has_nothing_to_be_held_against(run):
    found = run(splits())
    assert found["train"]["drift"] == {
        "against": "no span has passed before",
        "compared": False,
        "features": {},
    }


def test_drift_stops_the_run_and_names_feature_value_and_threshold(run):
    moved = {"view": 0.3, "like": 0.5, "skip": 0.2}
    run(splits())
    with pytest.raises(errors.InputError) as caught:
        run(splits(moved))
    value = divergence(moved, SHARES)
    assert 0.05 < value < 0.1
    assert (
        f"split train, feature action: drift {value:.4g} against "
        f"{run.folder / 'kept' / '000001-'}" in str(caught.value)
    )
    assert "is above `checks.max_event_drift.action` = 0.05" in str(caught.value)
    written = json.loads(run.report.read_text())["train"]["drift"]["features"]
    assert written["action"]["allowed"] is False


def test_refused_data_are_not_the_measure_of_the_next(run):
    moved = {"view": 0.3, "like": 0.5, "skip": 0.2}
    run(splits())
    for _ in range(2):
        with pytest.raises(errors.InputError):
            run(splits(moved))
    # Raised for one run, the threshold lets them pass; from then on they are normal.
    run(splits(moved), max_event_drift={"action": 0.1})
    run(splits(moved, 201))
    with pytest.raises(errors.InputError):
        run(splits(num=202))


def test_few_examples_are_not_compared(run):
    run({"train": statistics(windows(99))})
    found = run({"train": statistics(windows(500, {"view": 1.0}))})
    assert not found["train"]["drift"]["compared"]


# --- skew -------------------------------------------------------------------------


def instance(shares=SHARES, **more):
    (row,) = windows(1, shares)
    actions = [name.decode() for name in row["action"]]
    items = [f"i{n}" for n in range(len(actions))]
    return {"history_item_id": items, "history_action": actions, **more}


def test_skew_stops_the_run(run, tmp_path):
    log = tmp_path / "requests-1.jsonl"
    served = {"view": 1.0}
    log.write_text((json.dumps({"instances": [instance(served)]}) + "\n") * 120)
    message = (
        "split train, feature action: skew "
        f"{divergence(SHARES, served):.4g} against .*requests.* is above "
        "`checks.max_skew.action` = 0.1"
    )
    with pytest.raises(errors.InputError, match=message):
        run(splits(), request_log=str(tmp_path / "requests-*.jsonl"))
    found = run(splits(), request_log=str(log), max_skew={"action": 0.9})
    assert found["train"]["skew"]["requests"] == 120
    assert found["train"]["skew"]["features"]["action"]["allowed"]


def test_every_form_of_a_request_counts_the_same(tmp_path):
    with_values = instance(history_value=[0.5] * 5 + [None] * 5)
    padded = {
        name: [*column, "" if name != "history_value" else 0.0]
        for name, column in with_values.items()
    }
    columnar = {name: [column, column] for name, column in padded.items()}
    other = tmp_path / "a.jsonl.gz"
    other.write_bytes(
        gzip.compress(
            "\n".join(
                [
                    json.dumps(with_values),
                    "",
                    json.dumps({"instances": [with_values, padded], "k": 5}),
                    json.dumps({"inputs": {**columnar, "k": [5, 5]}}),
                    json.dumps({"instances": [{**instance(), "history_item_id": []}]}),
                ]
            ).encode()
        )
    )
    # The empty history with ten actions is malformed: one bad line of four.
    with pytest.raises(errors.InputError, match=r"1 of 4 lines .* line 5"):
        request_log.read(str(other))
    lines = gzip.decompress(other.read_bytes()).splitlines()[:-1]
    other.write_bytes(gzip.compress(b"\n".join(lines)))
    found = request_log.read(str(other))
    assert (found.num_requests, found.num_bad_lines) == (5, 0)
    by_name = {
        feature.path.step[0]: feature
        for feature in found.statistics.datasets[0].features
    }
    assert by_name["item_id"].string_stats.unique == 10
    assert by_name["value_present"].num_stats.mean == 0.5
    assert by_name["value"].num_stats.mean == 0.25
    top = by_name["action"].string_stats.top_values
    assert [(entry.value, entry.frequency) for entry in top] == [
        ("view", 30.0),
        ("skip", 10.0),
        ("like", 10.0),
    ]


def test_sets_of_actions_are_sorted_as_in_training(tmp_path):
    log = tmp_path / "r.jsonl"
    row = {"history_item_id": ["a"], "history_action": ["view|dislike"]}
    log.write_text(json.dumps(row))
    (feature,) = (
        f
        for f in request_log.read(str(log)).statistics.datasets[0].features
        if f.path.step[0] == "action"
    )
    assert feature.string_stats.top_values[0].value == "dislike|view"


@pytest.mark.parametrize("content", ["", "[]\n", '{"history_item_id": 3}\n', "{"])
def test_no_request_at_all(tmp_path, content):
    log = tmp_path / "r.jsonl"
    log.write_text(content)
    with pytest.raises(errors.InputError, match=r"`checks\.request_log`.*Expected"):
        request_log.read(str(log))


def test_no_file():
    with pytest.raises(errors.InputError, match="matches no file"):
        request_log.read("/nowhere/*.jsonl")


def test_reading_stops_at_the_limit(tmp_path):
    for day in (1, 2):
        row = json.dumps({"history_item_id": [f"d{day}"], "history_action": ["view"]})
        (tmp_path / f"r-{day}.jsonl").write_text(f"{row}\n" * 30)
    found = request_log.read(str(tmp_path / "r-*.jsonl"), max_requests=40)
    assert found.num_requests == 40
    (feature,) = (
        f for f in found.statistics.datasets[0].features if f.path.step[0] == "item_id"
    )
    # The newest file is read first, and whole.
    assert feature.string_stats.top_values[0].value == "d2"
