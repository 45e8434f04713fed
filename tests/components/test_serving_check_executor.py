import hashlib
import json
import os
import shutil

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components.serving_check import canary, check, executor
from schema import settings
from serving.bundle import manifest, saved_model
from tests.components import fake_artifacts

POLICY = settings.ServingCheckSettings(
    num_requests=4, max_latency_p99_ms=60_000.0, score_tolerance=1e-3
)
GOOD = {
    "requests": 50,
    "latency_p99_ms": 12.0,
    "max_score_difference": 1e-5,
    "exact_overlap": 0.98,
    "repeated_or_seen_items": 0,
    "incomplete_answers": 0,
    "batch_disagreements": 0,
    "empty_history_items": 10,
}
STRICT = settings.ServingCheckSettings(max_latency_p99_ms=20.0, score_tolerance=1e-3)
NAN = float("nan")


def judge(num_candidates=1_000, history_length=30, **changes):
    return check.judge({**GOOD, **changes}, num_candidates, history_length, STRICT)


def test_good_canary_has_no_failures():
    assert judge() == []
    assert judge(latency_p99_ms=20.0, max_score_difference=1e-3) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"latency_p99_ms": 20.1}, "latency p99 20.1 ms is above"),
        ({"latency_p99_ms": NAN}, "latency p99"),
        ({"max_score_difference": 0.002}, "differ from the exact twin by 0.002"),
        ({"max_score_difference": NAN}, "differ from the exact twin"),
        ({"exact_overlap": 0.49}, "only 49% of what the exact twin recommends"),
        ({"exact_overlap": NAN}, "the exact twin recommends"),
        ({"repeated_or_seen_items": 3}, "3 recommendations are repeated or already"),
        ({"incomplete_answers": 2}, "2 answers hold fewer items"),
        ({"batch_disagreements": 1}, "1 requests are answered otherwise in a batch"),
        ({"empty_history_items": 0}, "empty history gets no recommendation"),
    ],
)
def test_each_figure_fails_on_its_own(changes, said):
    (failure,) = judge(**changes)

    assert said in failure


def test_short_answers_are_right_where_the_catalogue_runs_out():
    assert judge(incomplete_answers=5, num_candidates=39, history_length=30) == []
    assert judge(incomplete_answers=5, num_candidates=40, history_length=30)


def test_canary_that_said_nothing_is_not_judged_twice():
    assert check.judge({"failures": ["crashed"]}, 100, 10, STRICT) == []


# --- with a real model in a fresh process -----------------------------------------


@pytest.fixture
def outputs(tmp_path):
    artifact = fake_artifacts.make(standard_artifacts.InfraBlessing, tmp_path / "infra")
    return {"blessing": [artifact]}


def run(model, examples, outputs, policy=POLICY):
    executor.Executor().Do(
        {
            "examples": [examples],
            "model": [fake_artifacts.make(standard_artifacts.Model, model)],
        },
        outputs,
        {"serving_check": policy.to_json()},
    )
    blessing = outputs["blessing"][0]
    return blessing, fake_artifacts.read_json(blessing, "serving_check.json")


def test_good_model_is_blessed(exported_model, raw_examples, outputs):
    blessing, report = run(exported_model(), raw_examples(), outputs)

    assert report["failures"] == []
    fake_artifacts.assert_blessed(blessing, prefix="INFRA_")
    assert report["model_id"] == manifest.model_id(exported_model() / "Format-Serving")
    written = (
        exported_model() / "Format-Serving" / manifest.MANIFEST_FILE
    ).read_bytes()
    assert report["model_digest"] == hashlib.sha256(written).hexdigest()
    assert report["requests"] == 4
    assert report["empty_history_items"] == 10
    assert report["max_score_difference"] < 1e-4


def test_model_that_cannot_be_loaded_is_refused(
    exported_model, raw_examples, outputs, tmp_path
):
    broken = shutil.copytree(exported_model(), tmp_path / "broken")
    os.remove(broken / "Format-Serving" / "saved_model.pb")

    blessing, report = run(broken, raw_examples(), outputs)

    fake_artifacts.assert_refused(blessing, prefix="INFRA_")
    (failure,) = report["failures"]
    assert "a fresh process cannot serve the model" in failure


def test_no_requests_are_no_proof(exported_model, raw_examples, outputs):
    blessing, report = run(exported_model(), raw_examples(train=[]), outputs)

    fake_artifacts.assert_refused(blessing, prefix="INFRA_")
    assert report["failures"]


def test_model_that_hangs_is_refused(exported_model, raw_examples, outputs):
    policy = POLICY.model_copy(update={"timeout_sec": 1})

    blessing, report = run(exported_model(), raw_examples(), outputs, policy)

    fake_artifacts.assert_refused(blessing, prefix="INFRA_")
    assert (
        "no answer within 1 s; raise `serving_check.timeout_sec`"
        in (report["failures"][0])
    )


# --- what the canary sees, on models made by hand ---------------------------------


class Model:
    """Answers from a table: (history, is it alone) -> items and scores."""

    def __init__(self, answer, kind="exact"):
        self._answer = answer
        self.manifest = {"index": {"kind": kind}}
        self.digest = "f" * 64

    def recommend(self, item_id, action, timestamp, value, k):
        rows = [
            self._answer([i for i in row if i], len(item_id) == 1) for row in item_id
        ]
        ids = np.full((len(rows), k), b"", object)
        scores = np.full((len(rows), k), -np.inf, np.float32)
        for row, items in enumerate(rows):
            for column, (item, score) in enumerate(items[:k]):
                ids[row, column], scores[row, column] = item, score
        return ids, scores


def best(history, alone):
    """Ten items, and none of the history's."""
    left = [b"i%d" % n for n in range(20) if b"i%d" % n not in history]
    return [(item, 20.0 - place) for place, item in enumerate(left[:10])]


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Runs the canary in this process on two models made by hand."""

    def run_canary(model, exact=best, kind="exact"):
        made = {"model": Model(model, kind), "exact": Model(exact)}
        monkeypatch.setattr(saved_model, "load_exported", made.__getitem__)
        path = tmp_path / "requests.npz"
        item_id = np.array([[b"i0", b"i1"], [b"i7", b""]], "S2")
        np.savez(
            path,
            item_id=item_id,
            action=np.full((2, 2), b"view"),
            timestamp=np.zeros((2, 2), np.int64),
            value=np.full((2, 2), np.nan, np.float32),
        )
        return canary.run("model", "exact", str(path))

    return run_canary


def test_canary_finds_nothing_wrong_with_a_right_model(look):
    seen = look(best)

    assert seen["requests"] == 2
    assert seen["max_score_difference"] == 0.0
    assert seen["repeated_or_seen_items"] == seen["incomplete_answers"] == 0
    assert seen["batch_disagreements"] == 0
    assert seen["empty_history_items"] == 10
    assert json.dumps(seen)


def test_canary_counts_items_of_the_history_and_repeats(look):
    seen = look(lambda history, alone: [*best(history, alone)[:9], (b"i0", 1.0)])
    twice = look(lambda history, alone: [*best(history, alone)[:9], (b"i2", 1.0)])

    assert seen["repeated_or_seen_items"] == 1 + 1  # met by one, twice for the other
    assert twice["repeated_or_seen_items"] == 2


def test_canary_counts_short_answers(look):
    seen = look(lambda history, alone: best(history, alone)[:9])

    assert seen["incomplete_answers"] == 2


def test_canary_sees_wrong_scores(look):
    def off(history, alone):
        return [(item, score + 0.5) for item, score in best(history, alone)]

    assert look(off)["max_score_difference"] == pytest.approx(0.5)


def test_canary_sees_answers_that_depend_on_the_batch(look):
    def unstable(history, alone):
        return best(history, alone) if alone else best([b"i2"], alone)

    assert look(unstable)["batch_disagreements"] == 2


@pytest.mark.parametrize(
    ("kind", "num_missed", "num_wrong"),
    [("exact", 1, 2), ("scann", 1, 0), ("scann", 5, 0), ("scann", 6, 2)],
)
def test_only_an_index_may_miss_alone_what_it_finds_in_a_batch(
    look, kind, num_missed, num_wrong
):
    def deeper_in_a_batch(history, alone):
        ranked = [b"i%d" % n for n in range(20) if b"i%d" % n not in history]
        scored = [(item, 20.0 - place) for place, item in enumerate(ranked)]
        return scored[num_missed if alone else 0 :][:10]

    assert look(deeper_in_a_batch, kind=kind)["batch_disagreements"] == num_wrong


def test_another_score_in_a_batch_is_wrong_of_an_index_too(look):
    def mixed_up(history, alone):
        return [(item, score + alone) for item, score in best(history, alone)]

    assert look(mixed_up, kind="scann")["batch_disagreements"] == 2


def test_items_of_equal_score_may_change_places_in_a_batch(look):
    """Sums of float32 differ in their last bit with the size of the batch."""

    def tied(history, alone):
        (first, score), *rest = best(history, alone)[1:]
        pair = [(first, score), (b"i19", score)]
        return [*(pair if alone else pair[::-1]), *rest]

    assert look(tied)["batch_disagreements"] == 0


def test_canary_sees_a_model_that_has_nothing_for_newcomers(look):
    seen = look(lambda history, alone: best(history, alone) if history else [])

    assert seen["empty_history_items"] == 0
