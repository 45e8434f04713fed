import pytest

from pipeline.report import run_reports
from pipeline.report.sections import relevance
from tests.unit.report import report_run
from tests.unit.report.report_run import altered, interval, nothing


def build(tmp_path, evaluation=report_run.EVALUATION, leave_out=(), **changed):
    root = report_run.write_run(tmp_path, leave_out, evaluation=evaluation, **changed)
    return relevance.build(run_reports.read(root))


def with_gap(low, high, metric="recall@10"):
    path = ("baselines", "popularity", "differences", metric)
    value = (low + high) / 2
    return altered(report_run.EVALUATION, *path, to=interval(value, low, high))


@pytest.mark.parametrize(
    ("low", "high", "judgement", "words"),
    [
        (0.1, 0.3, "good", "this model finds clearly more"),
        (-0.3, -0.1, "bad", "this model finds clearly fewer"),
        (-0.1, 0.3, "unclear", "the difference is within chance"),
        (0.0, 0.3, "unclear", "the difference is within chance"),
    ],
)
def test_recall_is_judged_by_the_paired_interval(tmp_path, low, high, judgement, words):
    finding = build(tmp_path, with_gap(low, high)).summary[0]
    assert finding.judgement == judgement
    assert words in finding.text
    assert "50.0\u00a0%" in finding.text
    assert "a plain list of popular items finds 30.0\u00a0%" in finding.text


@pytest.mark.parametrize(
    ("low", "high", "judgement"),
    [(-0.2, -0.01, "good"), (0.01, 0.2, "bad"), (-0.1, 0.1, "unclear")],
)
def test_fewer_disliked_items_are_better(tmp_path, low, high, judgement):
    built = build(tmp_path, with_gap(low, high, "negative_recall@10"))
    ((finding, plot),) = built.differences
    assert finding.judgement == judgement
    assert plot.startswith("<svg")
    (row,) = [row for row in built.ranking if row.name == "negative_recall@10"]
    assert row.baselines[0][1].judgement == judgement


def test_the_last_blessed_model_is_compared_where_there_is_one(tmp_path):
    first = build(tmp_path / "first")
    assert first.absent_baselines == ("last blessed model",)
    blessed = {
        "model_id": "before",
        "metrics": {"recall@10": interval(0.6, 0.5, 0.7)},
        "differences": {"recall@10": interval(-0.1, -0.2, -0.05)},
    }
    later = altered(report_run.EVALUATION, "baselines", "last_blessed", to=blessed)
    built = build(tmp_path / "later", later)
    assert built.baseline_labels == ("popularity list", "last blessed model")
    assert built.absent_baselines == ()
    assert built.summary[1].text == (
        "Of the same items, the last blessed model finds 60.0\u00a0%: this model finds "
        "clearly fewer."
    )
    assert built.summary[1].judgement == "bad"
    assert len(built.differences) == 2
    recall = built.ranking[0]
    assert recall.baselines[1][0].value == "0.6000"
    assert recall.baselines[1][1].value == "\u22120.1000"


def test_table_values_and_reasons(tmp_path):
    rows = {row.name: row for row in build(tmp_path).ranking}
    assert rows["recall@10"].model.value == "0.5000"
    assert rows["recall@10"].model.interval == "0.4000 to 0.6000"
    _, more = rows["recall@10"].baselines[0]
    assert (more.value, more.interval) == ("+0.2000", "+0.1000 to +0.3000")
    value, gap = rows["ndcg@10"].baselines[0]
    assert (value.value, value.reason) == ("\u2013", "not measured")
    assert (gap.value, gap.reason) == ("\u2013", "not compared")
    assert list(rows)[:3] == ["recall@10", "ndcg@10", "mrr"]


@pytest.mark.parametrize(
    ("metric", "content", "reason"),
    [
        ("recall@10", nothing(), "no liked targets"),
        ("negative_recall@10", nothing(), "no disliked targets"),
        ("delta_ndcg@10", nothing(100), "needs both liked and disliked targets"),
        ("delta_ndcg@10", nothing(), "no targets"),
        ("mrr", nothing(7), "no finite value"),
    ],
)
def test_a_missing_value_has_a_reason(tmp_path, metric, content, reason):
    evaluation = altered(report_run.EVALUATION, "metrics", metric, to=content)
    built = build(tmp_path, evaluation, leave_out=("predictions.parquet",))
    (row,) = [row for row in built.ranking if row.name == metric]
    assert (row.model.value, row.model.reason) == ("\u2013", reason)


def test_cutoffs_are_those_of_the_file_in_numeric_order(tmp_path):
    evaluation = altered(
        report_run.EVALUATION, "metrics", "recall@5", to=interval(0.4, 0.3, 0.5)
    )
    names = [row.name for row in build(tmp_path, evaluation).ranking]
    assert names[:2] == ["recall@5", "recall@10"]


def test_the_index_is_judged_by_the_gate_and_not_here(tmp_path):
    found = build(tmp_path / "passed").summary[-1]
    assert (found.judgement, "99.00\u00a0%" in found.text) == ("good", True)
    refused = altered(report_run.PROMOTION, "rules", 2, "passed", to=False)
    assert build(tmp_path / "b", promotion=refused).summary[-1].judgement == "bad"
    undecided = build(tmp_path / "c", leave_out=("promotion.json",))
    assert undecided.summary[-1].judgement == "neutral"


def test_served_lists_confirm_or_contradict_the_evaluation(tmp_path):
    # One of the two liked targets in report_run.PREDICTIONS is served: recall .5.
    built = build(tmp_path / "same")
    assert "50.0\u00a0% of the liked" in built.rank_finding.text
    other = altered(report_run.EVALUATION, "metrics", "recall@10", "value", to=0.4)
    finding = build(tmp_path / "other", other).rank_finding
    assert finding.judgement == "bad"
    assert "not from the same run" in finding.text


def test_without_served_lists_there_is_no_curve(tmp_path):
    built = build(tmp_path, leave_out=("predictions.parquet",))
    assert built.rank_finding is None
    assert built.rank_plot == ""


def test_without_evaluation_there_is_no_section(tmp_path):
    reports = run_reports.read(
        report_run.write_run(tmp_path, leave_out=("evaluation.json",))
    )
    assert relevance.build(reports) is None


def test_lists_and_horizon_have_rows_of_their_own(tmp_path):
    metrics = {
        **report_run.EVALUATION["metrics"],
        "popularity_lift@10": interval(0.2, 0.1, 0.3),
        "diversity@10": interval(0.8, 0.7, 0.9),
        "negative_horizon_recall@10": interval(0.3, 0.2, 0.4),
    }
    root = report_run.write_run(
        tmp_path, evaluation=altered(report_run.EVALUATION, "metrics", to=metrics)
    )

    built = relevance.build(run_reports.read(root))

    higher = {row.name: row.higher_is_better for row in built.serving}
    assert higher == {
        "coverage@10": True,
        "index_recall@10": True,
        "popularity_lift@10": False,
        "diversity@10": True,
        "negative_horizon_recall@10": False,
    }
