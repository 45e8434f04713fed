import pytest

from pipeline.report import run_reports
from pipeline.report.charts import error_bars
from pipeline.report.sections import slices
from tests.unit.report import report_run
from tests.unit.report.report_run import altered, interval, nothing


def slice_finding(tmp_path, recall):
    evaluation = altered(
        report_run.EVALUATION, "slices", to={"item:cold": {"recall@10": recall}}
    )
    root = report_run.write_run(tmp_path, evaluation=evaluation)
    return slices.build(run_reports.read(root).evaluation).finding


@pytest.mark.parametrize(
    ("recall", "judgement"),
    [
        (interval(0.2, 0.1, 0.39), "bad"),  # below the whole's .4
        (interval(0.2, 0.1, 0.41), "good"),
        (interval(0.0, 0.0, 0.0, 7), "good"),  # 3 / 7 = .43: seven misses prove little
        (interval(0.0, 0.0, 0.0, 8), "bad"),  # 3 / 8 = .375
        (nothing(), "good"),
    ],
)
def test_slices_that_lag_behind_are_named(tmp_path, recall, judgement):
    finding = slice_finding(tmp_path, recall)
    assert finding.judgement == judgement
    assert ("items never met in training" in finding.text) == (judgement == "bad")


def test_slice_cells_have_reasons(tmp_path):
    built = slices.build(run_reports.read(report_run.write_run(tmp_path)).evaluation)
    short, explicit = built.rows
    assert (short.liked, short.disliked) == ("50", "\u2013")
    assert short.cells[2].reason == "not measured"
    assert (explicit.liked, explicit.disliked) == ("0", "20")
    assert explicit.cells[0].reason == "no liked targets"
    assert explicit.cells[2].value == "0.1000"


def with_last_blessed():
    baseline = {
        "model_id": "before",
        "recall@10": interval(0.4, 0.3, 0.5),
        "differences": {"recall@10": interval(0.1, 0.05, 0.15)},
        "slice_differences": {
            "history:short": {"recall@10": interval(-0.2, -0.3, -0.1, 50)},
            "negative:explicit": {"recall@10": nothing()},
        },
    }
    return altered(report_run.EVALUATION, "baselines", "last_blessed", to=baseline)


def test_slices_stand_against_the_last_blessed_model(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        error_bars,
        "side_by_side",
        lambda panels, *_: drawn.extend(panels) or "svg",
    )
    root = report_run.write_run(tmp_path, evaluation=with_last_blessed())

    built = slices.build(run_reports.read(root).evaluation)

    assert built.has_last_blessed
    short, explicit = (row.against_last_blessed for row in built.rows)
    assert short.judgement == "bad"
    assert short.value.startswith("\u2212") or short.value.startswith("-")
    assert explicit.reason == "no liked targets"
    # The slice without a liked target has no point to draw.
    recall, gap = drawn
    assert recall.rows == gap.rows == ("history:short",)
    assert recall.series[0].points[0].value == 0.5
    assert gap.series[0].points[0].value == -0.2
    assert gap.zero_line


def test_first_model_has_no_column_to_stand_against(tmp_path):
    built = slices.build(run_reports.read(report_run.write_run(tmp_path)).evaluation)

    assert not built.has_last_blessed
    assert {row.against_last_blessed for row in built.rows} == {None}


def test_without_evaluation_there_is_no_section():
    assert slices.build(None) is None
