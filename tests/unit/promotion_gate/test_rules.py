import pytest

from components.promotion_gate import rules
from tests import builders
from tests.unit.promotion_gate.gate import (
    NAN,
    POLICY,
    assert_blessed,
    assert_refused,
    decide,
    failed,
)


def test_good_model_is_blessed():
    assert_blessed(decide())


def test_every_rule_is_told_with_what_was_seen_and_wanted():
    verdict = decide()

    told = {r.name: (r.observed, r.required) for r in verdict.rules}
    examples = ("/run/examples/1", "== /run/examples/1")
    files = ("0" * 64, "== " + "0" * 64)
    assert told == {
        "model_files": ("as exported", "as exported"),
        "event_data_anomalies": ("none", "none"),
        "catalog_data_anomalies": ("none", "none"),
        "evaluation_is_of_this_model": ("model-1", "== model-1"),
        "evaluation_is_of_these_files": files,
        "evaluation_is_of_these_examples": examples,
        "responsiveness_is_of_this_model": ("model-1", "== model-1"),
        "responsiveness_is_of_these_files": files,
        "responsiveness_is_of_these_examples": examples,
        "evaluated_users": (60, ">= 20"),
        "recall@10": (0.1, ">= 0.05"),
        "recall@10 (interval low) over chance": (0.1, "> 0.01"),
        "index_recall@10": (0.99, ">= 0.9"),
        "recall@10_over_popularity": (0.05, "> 0.01"),
        "delta_ndcg@10 (interval high)": (0.05, ">= -0.05"),
        "audience_nearest.dislike beside before (interval high)": (-0.4, "<= -0.1"),
        "audience_nearest.dislike beside control (interval high)": (-0.4, "<= -0.1"),
        "category_overlap.dislike beside before (interval high)": (-0.4, "<= -0.1"),
        "category_overlap.dislike beside control (interval high)": (-0.4, "<= -0.1"),
        "creator.dislike beside before (interval high)": (-0.4, "<= -0.1"),
        "creator.dislike beside control (interval high)": (-0.4, "<= -0.1"),
        "persistence beside before (highest interval low)": (-0.6, "<= 0.05"),
        "persistence.events:5 beside before (lowest interval high)": (
            -0.4,
            "<= -0.1",
        ),
        "persistence.events:5.audience_nearest beside before (interval low)": (
            -0.6,
            "<= 0",
        ),
        "persistence.gap_ms:86400000 beside before (lowest interval high)": (
            -0.4,
            "<= -0.1",
        ),
        "persistence.gap_ms:86400000.audience_nearest beside before (interval low)": (
            -0.6,
            "<= 0",
        ),
        "replay beside before (lowest interval high)": (-0.4, "<= -0.1"),
        "replay.audience_nearest beside before (interval low)": (-0.6, "<= 0"),
        "short_histories beside before (lowest interval high)": (-0.4, "<= -0.1"),
        "short_histories.audience_nearest beside before (interval low)": (
            -0.6,
            "<= 0",
        ),
        "kept.dislike": (0.7, ">= 0.4"),
        "collateral.content (interval low)": (-0.1, ">= -0.4"),
        "collateral.creator (interval low)": (-0.1, ">= -0.4"),
        "collateral.content, as a rise (interval low)": (-0.1, "<= 2"),
        "collateral.creator, as a rise (interval low)": (-0.1, "<= 2"),
        "concentration.content (interval low)": (-0.05, "<= 0.05"),
        "concentration.creator (interval low)": (-0.05, "<= 0.05"),
        "specificity.category_overlap (interval low)": (0.1, ">= 0.05"),
        "unheard.category_overlap": (0.1, "<= 0.33"),
        "slices.category_overlap beside control (highest interval low)": (
            -0.6,
            "<= -0.02",
        ),
        "simulations": (100, ">= 50"),
        "simulations_in_further_situations": (100, ">= 20"),
        "distinct_users": (60, ">= 20"),
        "serving_check_is_of_this_model": ("model-1", "== model-1"),
        "serving_check_is_of_these_files": files,
        "serving_check_failures": ("none", "none"),
        "serving_check_requests": (50, ">= 1"),
    }
    assert verdict.blessed


# --- each figure refuses on its own -----------------------------------------------


@pytest.mark.parametrize("bad", [0.0499, NAN, None])
def test_recall_too_low_or_unknown_refuses(bad):
    found = failed(decide(evaluation=builders.evaluation_report(recall=bad)))

    assert found[0] == "recall@10"
    # What is too little may be more than chance, which is .01; what is unknown is not.
    assert len(found) == (1 if bad == 0.0499 else 2)


def test_recall_that_may_be_chance_refuses():
    report = builders.evaluation_report()
    report["metrics"]["recall@10"]["low"] = 0.01

    verdict = decide(evaluation=report)

    assert_refused(verdict, "recall@10 (interval low) over chance")
    free = POLICY.model_copy(update={"min_recall_at_10": 0.0})
    assert_blessed(decide(free, evaluation=report))
    del report["candidates"]
    assert not decide(evaluation=report).blessed


def test_who_asks_for_no_answer_asks_it_of_nobody():
    report = builders.responsiveness_report()
    del report["unheard"], report["slices"]
    free = POLICY.model_copy(update={"max_content_responsiveness": 1000.0})

    assert_blessed(decide(free, responsiveness=report))


@pytest.mark.parametrize("bad", [0.89, NAN, None])
def test_index_recall_too_low_or_unknown_refuses(bad):
    report = builders.evaluation_report(index_recall=bad)

    assert_refused(decide(evaluation=report), "index_recall@10")


@pytest.mark.parametrize("bad", [0.01, 0.009, -0.1, NAN, None])
def test_no_better_than_popularity_refuses(bad):
    report = builders.evaluation_report(lift=bad)

    assert_refused(decide(evaluation=report), "recall@10_over_popularity")


def test_figure_on_the_limit_passes():
    report = builders.evaluation_report(recall=0.05, index_recall=0.9, lift=0.0101)

    assert_blessed(decide(evaluation=report))


WITHOUT_EVALUATION = (
    "evaluation_is_of_this_model",
    "evaluation_is_of_these_files",
    "evaluation_is_of_these_examples",
    "evaluated_users",
    "recall@10",
    "recall@10 (interval low) over chance",
    "index_recall@10",
    "recall@10_over_popularity",
    "delta_ndcg@10 (interval high)",
)


def test_missing_evaluation_refuses():
    assert_refused(decide(evaluation=None), *WITHOUT_EVALUATION)


def test_evaluation_without_metrics_refuses():
    report = {**builders.evaluation_report(), "metrics": {}, "baselines": {}}

    assert_refused(decide(evaluation=report), *WITHOUT_EVALUATION[4:])


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (None, "metrics: Input should be an object; got 'None'"),
        ({"recall@10": 0.9}, "metrics.recall@10: Input should be an object; got '0.9'"),
        (
            {"recall@10": builders.interval("0.9", low=0.8, high=1.0)},
            "metrics.recall@10.value: Input should be a valid number; got '0.9'",
        ),
        (
            {"recall@10": builders.interval(True, low=0.8, high=1.0)},
            "metrics.recall@10.value: Input should be a valid number; got 'True'",
        ),
        (
            {"recall@10": builders.interval(0.9, low=0.8, high=1.2)},
            "metrics.recall@10.high: must be <= 1; got '1.2'",
        ),
        (
            {"recall@10": builders.interval(0.9, low=0.95, high=1.0)},
            "metrics.recall@10: must hold low <= value <= high; got low 0.95, "
            "value 0.9, high 1.0",
        ),
    ],
)
def test_evaluation_that_cannot_be_refuses_with_the_reason(metrics, reason):
    report = {**builders.evaluation_report(), "metrics": metrics}

    verdict = decide(evaluation=report)

    # Nothing else of the report is believed either.
    assert_refused(verdict, "evaluation_is_valid", *WITHOUT_EVALUATION)
    assert verdict.rules[0].observed == f"not a valid evaluation.json: {reason}"


@pytest.mark.parametrize("report", ["evaluation", "responsiveness", "serving_check"])
def test_report_on_another_model_refuses(report):
    other = {
        "evaluation": builders.evaluation_report(model_id="model-0"),
        "responsiveness": builders.responsiveness_report(model_id="model-0"),
        "serving_check": builders.serving_check_report(model_id="model-0"),
    }

    assert_refused(decide(**{report: other[report]}), f"{report}_is_of_this_model")


@pytest.mark.parametrize("report", ["evaluation", "responsiveness", "serving_check"])
@pytest.mark.parametrize("digest", ["1" * 64, None])
def test_report_on_other_files_of_the_same_model_refuses(report, digest):
    """The same weights, with another graph or an index that was built once more."""
    content = getattr(builders, f"{report}_report")()
    content["model_digest"] = digest

    verdict = decide(**{report: content})

    assert_refused(verdict, f"{report}_is_of_these_files")
    (found,) = [r for r in verdict.rules if not r.passed]
    assert "replaced or damaged" in found.hint


def test_damaged_model_refuses_with_the_file():
    damage = "variables/variables.data is not the file that was exported"

    verdict = decide(model_digest=None, model_damage=damage)

    assert_refused(
        verdict,
        "model_files",
        "evaluation_is_of_these_files",
        "responsiveness_is_of_these_files",
        "serving_check_is_of_these_files",
    )
    assert verdict.rules[0].observed == damage


def test_model_without_an_id_refuses():
    """Two missing ids are not the same id."""
    nameless = builders.evaluation_report()
    del nameless["model_id"]

    verdict = decide(model_id=None, evaluation=nameless)

    assert "evaluation_is_of_this_model" in failed(verdict)
    assert "serving_check_is_of_this_model" in failed(verdict)


def test_nothing_at_all_refuses():
    verdict = decide(
        evaluation=None,
        responsiveness=None,
        serving_check=None,
        event_anomalies=None,
        catalog_anomalies=None,
        model_digest=None,
    )

    assert not verdict.blessed
    assert all(not r.passed for r in verdict.rules)


def test_verdict_without_rules_refuses():
    assert not rules.Verdict(()).blessed


# --- data, examples, dislikes ------------------------------------------------------


@pytest.mark.parametrize("which", ["event_anomalies", "catalog_anomalies"])
def test_anomalies_refuse_and_are_told(which):
    found = builders.anomaly_report(train={"value": "out of range"})

    verdict = decide(**{which: found})

    (found,) = [r for r in verdict.rules if not r.passed]
    assert found.name == which.replace("_anomalies", "_data_anomalies")
    assert found.observed == "split train, value: out of range"


@pytest.mark.parametrize("lost", [None, {}])
def test_data_that_nobody_checked_refuse(lost):
    assert_refused(decide(event_anomalies=lost), "event_data_anomalies")


@pytest.mark.parametrize("lost", [{"train": {}}, {"train": None}])
def test_check_that_does_not_say_what_it_found_refuses(lost):
    assert_refused(
        decide(event_anomalies=lost), "event_anomalies_is_valid", "event_data_anomalies"
    )


@pytest.mark.parametrize("report", ["evaluation", "responsiveness"])
@pytest.mark.parametrize("uri", ["/run/examples/0", None])
def test_report_on_other_examples_refuses(report, uri):
    content = getattr(builders, f"{report}_report")()
    content["examples_uri"] = uri

    verdict = decide(**{report: content})

    assert_refused(verdict, f"{report}_is_of_these_examples")
    (found,) = [r for r in verdict.rules if not r.passed]
    assert "other examples" in found.hint


@pytest.mark.parametrize("bad", [-0.051, NAN, None])
def test_dislikes_that_clearly_rank_above_likes_refuse(bad):
    report = builders.evaluation_report()
    report["metrics"]["delta_ndcg@10"].update(low=-0.07, value=-0.06, high=bad)

    assert_refused(decide(evaluation=report), "delta_ndcg@10 (interval high)")


def test_dislikes_may_rank_a_little_above_likes():
    """Up to twice the ndcg of likes: some logs show people what they dislike."""
    report = builders.evaluation_report()
    report["metrics"]["delta_ndcg@10"].update(low=-0.07, value=-0.06, high=-0.05)

    assert_blessed(decide(evaluation=report))
    del report["metrics"]["ndcg@10"]
    assert_refused(decide(evaluation=report), "delta_ndcg@10 (interval high)")


def test_log_without_held_out_dislikes_needs_a_word():
    report = builders.evaluation_report()
    report["metrics"]["delta_ndcg@10"] = builders.interval(None)

    refused = decide(evaluation=report)
    (found,) = [r for r in refused.rules if not r.passed]
    assert 'set to "none"' in found.hint
    policy = POLICY.model_copy(update={"max_dislike_excess": None})
    assert_blessed(decide(policy, evaluation=report))


def test_baselines_of_the_policy_must_be_beaten_each():
    policy = POLICY.model_copy(update={"baselines": ("popularity", "item_knn")})

    assert_refused(decide(policy), "recall@10_over_item_knn")


@pytest.mark.parametrize(
    ("recall", "words"), [(0.03, "shuffled"), (0.04, "finds too little")]
)
def test_recall_at_chance_points_at_mixed_up_ids(recall, words):
    """10 of 1,000 candidates by chance is .01."""
    report = builders.evaluation_report(recall=recall)

    (found,) = [r for r in decide(evaluation=report).rules if not r.passed]

    assert words in found.hint


def test_model_that_finds_what_popularity_finds_is_told_so():
    report = builders.evaluation_report(lift=0.0)

    (found,) = [r for r in decide(evaluation=report).rules if not r.passed]

    assert "exactly what popularity finds" in found.hint
