import pytest

from pipeline.report.sections import training
from schema import reports
from tests.unit.report import report_run


def summary(epochs):
    return training.build(reports.TrainingHistory(epochs)).summary


def test_a_falling_loss_is_good_and_the_best_epoch_is_named():
    loss, ranking = summary(report_run.TRAINING)
    assert loss.judgement == "good"
    assert "from 5.000 to 3.500 between epoch 1 and epoch 3" in loss.text
    assert ranking.judgement == "good"
    assert "after epoch 2 (NDCG@10 0.0400), disliked ones then had 0.0200" in (
        ranking.text
    )
    assert "more epochs" not in ranking.text


def test_a_loss_that_does_not_fall_is_bad():
    loss, _ = summary([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 2.0}])
    assert loss.judgement == "bad"


def test_a_best_last_epoch_asks_for_more():
    _, ranking = summary(report_run.TRAINING[:2])
    assert "more epochs may help" in ranking.text


def test_one_epoch_shows_no_progress():
    loss, ranking = summary(report_run.TRAINING[:1])
    assert "single epoch" in loss.text
    assert loss.judgement == "neutral"
    assert "more epochs" not in ranking.text


def test_disliked_items_ranked_no_lower_are_bad():
    _, ranking = summary(
        [{"epoch": 1, "val_ndcg@10": 0.1, "val_negative_ndcg@10": 0.1}]
    )
    assert ranking.judgement == "bad"


def test_the_first_of_equal_epochs_is_the_best():
    _, ranking = summary([{"epoch": n, "val_ndcg@10": 0.1} for n in (1, 2)])
    assert "after epoch 1" in ranking.text


@pytest.mark.parametrize("record", [{"epoch": 1}, {"epoch": 1, "loss": None}])
def test_missing_figures_are_named_and_the_plot_still_drawn(record, real_plots):
    built = training.build(reports.TrainingHistory([record]))
    assert all(finding.text.startswith("\u2013") for finding in built.summary)
    assert built.plot.startswith("<svg")


@pytest.mark.parametrize("history", [None, reports.TrainingHistory([])])
def test_no_epochs_no_section(history):
    assert training.build(history) is None
