"""Evaluation of a real exported model; figures recomputed from what was served."""

import collections
import json
import math
import shutil

import pyarrow.parquet as pq
import pytest
import tensorflow_model_analysis as tfma
from tfx.types import standard_artifacts

from components.evaluation import config, executor
from schema import errors, settings
from tests.components import fake_artifacts, tiny_pipeline

TOP_K = (5, 20)


@pytest.fixture(scope="module")
def evaluate(tiny_log, tmp_path_factory):
    """Runs the executor once for each input; returns the report and the predictions."""
    made = {}

    def run(model, baseline=None, splits=None, served_models="", **evaluation):
        key = repr((model, baseline, splits, sorted(evaluation.items())))
        key += str(served_models)
        if key not in made:
            made[key] = once(model, baseline, splits, served_models, evaluation)
        folder = made[key]
        with open(folder / "evaluation.json", encoding="utf-8") as file:
            report = json.load(file)
        return report, pq.read_table(folder / "predictions.parquet").to_pylist()

    def once(model, baseline, splits, served_models, evaluation):
        folder = tmp_path_factory.mktemp("evaluation")
        windows = {
            "train": tiny_log.train,
            "eval": tiny_log.eval,
            "test": tiny_log.test,
            **(splits or {}),
        }
        examples = fake_artifacts.examples(
            folder / "examples",
            {
                name: [tiny_pipeline.serialized(w.columns()) for w in found]
                for name, found in windows.items()
            },
        )
        output = fake_artifacts.make(
            standard_artifacts.ModelEvaluation, folder / "evaluation"
        )
        transform_graph = fake_artifacts.make(
            standard_artifacts.TransformGraph, tiny_log.transform_dir
        )
        inputs = {
            "examples": [examples],
            "transform_graph": [transform_graph],
            "model": [fake_artifacts.make(standard_artifacts.Model, model)],
        }
        if baseline is not None:
            inputs["baseline_model"] = [
                fake_artifacts.make(standard_artifacts.Model, baseline)
            ]
        given = config.EvaluationConfig(
            feedback=tiny_pipeline.FEEDBACK,
            evaluation=settings.EvaluationSettings(
                **{
                    "top_k": TOP_K,
                    "bootstrap_samples": 50,
                    "batch_size": 7,
                    **evaluation,
                }
            ),
        )
        executor.Executor().Do(
            inputs,
            {"evaluation": [output]},
            {
                "evaluation_config": given.to_json(),
                "served_models": str(served_models),
            },
        )
        return folder / "evaluation"

    run.folder = lambda model: made[repr((model, None, None, []))]
    return run


def targets_by_hand(windows):
    """(user, item, polarity, history) of every label of the test split."""
    found = []
    for window in windows:
        for at, is_label in enumerate(window.is_label):
            if is_label:
                actions = window.action[at].decode().split("|")
                negative = {"dislike", "skip"} & set(actions)
                found.append(
                    (
                        window.user_id.decode(),
                        window.item_id[at].decode(),
                        "negative" if negative else "positive",
                        {item.decode() for item in window.item_id[:at]},
                    )
                )
    return found


def test_predictions_hold_every_target_with_what_was_served(
    evaluate, exported_model, tiny_log
):
    _, predictions = evaluate(exported_model())

    expected = targets_by_hand(tiny_log.test)
    assert [
        (row["user_id"], row["target_item_id"], row["target_polarity"])
        for row in predictions
    ] == [target[:3] for target in expected]
    for row, (*_, history) in zip(predictions, expected, strict=True):
        served = row["top_item_ids"]
        assert len(set(served)) == len(served) == 100
        assert not set(served) & history


def test_metrics_follow_from_the_predictions(evaluate, exported_model):
    report, predictions = evaluate(exported_model())

    for sign, prefix in (("positive", ""), ("negative", "negative_")):
        ranks = [
            row["top_item_ids"].index(row["target_item_id"])
            if row["target_item_id"] in row["top_item_ids"]
            else math.inf
            for row in predictions
            if row["target_polarity"] == sign
        ]
        assert len(ranks) > 3
        for k in (5, 10, 20):  # 10 is measured whatever `top_k` says
            hits = [rank < k for rank in ranks]
            gains = [1 / math.log2(rank + 2) if rank < k else 0 for rank in ranks]
            for name, values in (("recall", hits), ("ndcg", gains)):
                metric = report["metrics"][f"{prefix}{name}@{k}"]
                assert metric["value"] == pytest.approx(sum(values) / len(values))
                assert metric["count"] == len(values)
                assert metric["low"] <= metric["value"] <= metric["high"]
        if sign == "positive":
            reciprocal = sum(1 / (rank + 1) for rank in ranks) / len(ranks)
            assert report["metrics"]["mrr"]["value"] == pytest.approx(reciprocal)

    served = {item for row in predictions for item in row["top_item_ids"][:20]}
    assert report["metrics"]["coverage@20"]["value"] == pytest.approx(
        len(served) / tiny_pipeline.NUM_ITEMS
    )


def test_report_names_the_model_and_counts(evaluate, exported_model, tiny_log):
    report, predictions = evaluate(exported_model())

    with open(
        exported_model() / "Format-Serving" / "assets.extra" / "manifest.json"
    ) as file:
        assert report["model_id"] == json.load(file)["model_id"]
    assert report["targets"] == len(predictions) == 20
    assert report["users"] == len({window.user_id for window in tiny_log.test}) == 10
    assert report["candidates"] == tiny_pipeline.NUM_ITEMS


def test_exact_index_recalls_everything(evaluate, exported_model):
    report, _ = evaluate(exported_model())

    assert report["metrics"]["index_recall@10"]["value"] == 1.0


def test_popularity_baseline_by_hand(evaluate, exported_model, tiny_log):
    report, _ = evaluate(exported_model())

    counts = collections.Counter(
        item
        for window in tiny_log.train
        for item, is_label in zip(window.item_id, window.is_label, strict=True)
        if is_label
    )
    order = [i.decode() for i in sorted(counts, key=lambda i: (-counts[i], i))]
    hits = []
    for _, item, polarity, history in targets_by_hand(tiny_log.test):
        if polarity == "positive":
            shown = [i for i in order if i not in history][:20]
            hits.append(item in shown)
    popularity = report["baselines"]["popularity"]
    assert popularity["recall@20"]["value"] == pytest.approx(sum(hits) / len(hits))
    assert popularity["differences"]["recall@20"]["value"] == pytest.approx(
        report["metrics"]["recall@20"]["value"] - sum(hits) / len(hits)
    )


def test_first_run_has_no_last_blessed_model(evaluate, exported_model):
    report, _ = evaluate(exported_model())

    assert set(report["baselines"]) == {"popularity", "most_recent", "item_to_item"}


def test_other_blessed_model_is_measured_on_the_same_targets(evaluate, exported_model):
    other, _ = evaluate(exported_model(query_tower="gru"))
    report, _ = evaluate(exported_model(), baseline=exported_model(query_tower="gru"))

    baseline = report["baselines"]["last_blessed"]
    assert baseline["model_id"] == other["model_id"] != report["model_id"]
    for name in ("recall@20", "ndcg@20"):
        assert baseline[name] == other["metrics"][name]
        assert baseline["differences"][name]["value"] == pytest.approx(
            report["metrics"][name]["value"] - other["metrics"][name]["value"]
        )


def test_baseline_that_is_the_candidate_counts_as_absent(
    evaluate, exported_model, tmp_path
):
    """Whether it is the same artifact, or the same model built once more."""
    same, _ = evaluate(exported_model(), baseline=exported_model())
    copy = shutil.copytree(exported_model(), tmp_path / "built_again")
    again, _ = evaluate(exported_model(), baseline=copy)

    assert "last_blessed" not in same["baselines"]
    assert "last_blessed" not in again["baselines"]


def test_served_model_is_the_baseline_where_the_metadata_know_none(
    evaluate, exported_model, tmp_path
):
    other, _ = evaluate(exported_model(query_tower="gru"))
    folder = exported_model(query_tower="gru") / "Format-Serving"
    shutil.copytree(folder, tmp_path / "served" / "100")

    report, _ = evaluate(exported_model(), served_models=tmp_path / "served")

    baseline = report["baselines"]["last_blessed"]
    assert baseline["model_id"] == other["model_id"]
    assert baseline["recall@20"] == other["metrics"]["recall@20"]


def test_sample_of_targets_is_of_the_size_asked_for(evaluate, exported_model):
    report, predictions = evaluate(exported_model(), max_targets=6)

    assert report["targets"] == len(predictions) == 6


def test_slices_part_the_targets(evaluate, exported_model):
    report, _ = evaluate(exported_model())

    for first, second in (("history:short", "history:long"),):
        counts = [
            report["slices"][name][metric]["count"]
            for name in (first, second)
            for metric in ("recall@10", "negative_recall@10")
        ]
        assert sum(counts) == report["targets"]


def test_empty_test_split_is_an_input_error(evaluate, exported_model, tmp_path):
    with pytest.raises(errors.InputError, match=r"test split.*`data\.split`"):
        evaluate(exported_model(), splits={"test": []})


def test_tfma_loads_the_same_figures_with_their_slices(evaluate, exported_model):
    report, _ = evaluate(exported_model())
    folder = evaluate.folder(exported_model())

    result = tfma.load_eval_result(str(folder))

    by_slice = dict(result.slicing_metrics)
    assert set(by_slice) == {
        (),
        *((tuple(name.split(":", 1)),) for name in report["slices"]),
    }
    whole = result.get_metrics_for_slice()
    for name, entry in report["metrics"].items():
        if entry["value"] is not None:
            bounded = whole[name]["boundedValue"]
            for key, theirs in (
                ("value", "value"),
                ("low", "lowerBound"),
                ("high", "upperBound"),
            ):
                # Bounded values are single precision there.
                assert bounded[theirs] == pytest.approx(entry[key], rel=1e-6)
    short = result.get_metrics_for_slice((("history", "short"),))
    expected = report["slices"]["history:short"]["recall@20"]
    assert short["recall@20"]["boundedValue"]["value"] == pytest.approx(
        expected["value"]
    )
    assert len(result.config.slicing_specs) == len(report["slices"]) + 1


def test_user_whose_every_item_is_filtered_is_served_nothing_and_counts_as_a_miss(
    evaluate, exported_model, tiny_log
):
    """150 items are met, and one of them once more."""
    everything = [tiny_pipeline.item_id(n) for n in range(tiny_pipeline.NUM_ITEMS)]
    length = len(everything) + 1
    window = tiny_pipeline.Window(
        user_id=b"met it all",
        item_id=[*everything, everything[0]],
        timestamp=[1_700_000_000_000 + 1_000 * n for n in range(length)],
        action=[b"view"] * length,
        value=[0.5] * length,
        is_label=[0] * (length - 1) + [1],
    )

    report, predictions = evaluate(
        exported_model(), splits={"test": [*tiny_log.test, window]}
    )

    (row,) = [row for row in predictions if row["user_id"] == "met it all"]
    assert row["top_item_ids"] == []
    before, _ = evaluate(exported_model())
    count = before["metrics"]["recall@20"]["count"]
    assert report["metrics"]["recall@20"]["count"] == count + 1
    assert report["metrics"]["recall@20"]["value"] == pytest.approx(
        before["metrics"]["recall@20"]["value"] * count / (count + 1)
    )
