import re

import pytest

from pipeline.report.charts import tradeoff as chart
from pipeline.report.sections import tradeoff
from schema import reports

NEAREST = "net.audience_nearest.dislike"


def experiment(*rows, **changes):
    """An experiment of rows (arm, swept value, net answer, recall), one seed each.

    Intervals reach .01 to either side of the recall.
    """
    runs, arms = [], {}
    for arm, control, answer, recall in rows:
        variant = f"{arm}, user_control={control}"
        figures = {NEAREST: answer, "recall@10": recall}
        runs.append(
            {
                "variant": variant,
                "arm": arm,
                "swept": {"index.user_control": control},
                "seed": 1,
                "primary_action": "dislike",
                **figures,
                **changes,
            }
        )
        arms[variant] = {
            NEAREST: {"mean": answer, "std": None, "seeds": 1},
            "recall@10": {
                "mean": recall,
                "std": 0.02,
                "low": recall - 0.01,
                "high": recall + 0.01,
                "seeds": 3,
            },
        }
    return reports.Experiment.model_validate({"runs": runs, "arms": arms})


CURVE = experiment(
    ("none", "0", 0.05, 0.12),
    ("none", "2", 0.05, 0.12),
    ("feature_and_label", "0", 0.2, 0.12),
    ("feature_and_label", "2", -0.6, 0.09),
)


def drawn(content, monkeypatch):
    """The panels and the reference that the chart is asked for."""
    asked = []
    monkeypatch.setattr(chart, "of_arms", lambda *given: asked.append(given) or "<svg>")
    tradeoff.arms_plot(content)
    return asked[0]


def test_every_value_is_a_point_beside_the_slate_before(monkeypatch):
    panels, reference = drawn(CURVE, monkeypatch)

    assert list(panels) == ["nearest shared audience"]  # the one that was measured
    path = panels["nearest shared audience"]["feature_and_label"]
    assert [(p.answer.value, p.relevance.value, p.note) for p in path] == [
        (0.2, 0.12, "0"),
        (-0.6, 0.09, "2"),
    ]
    assert (path[1].relevance.low, path[1].relevance.high) == pytest.approx((0.08, 0.1))
    assert reference == 0.12


def test_arm_that_reads_no_user_control_is_one_point_without_a_value(monkeypatch):
    panels, _ = drawn(CURVE, monkeypatch)

    (point,) = panels["nearest shared audience"]["none"]
    assert (point.answer.value, point.note) == (0.05, "")


def test_positives_only_that_differ_by_value_are_no_reference(monkeypatch):
    """Of `train.epochs`, say: each value has a reference of its own."""
    swept = experiment(("none", "1", 0.0, 0.1), ("none", "3", 0.0, 0.12))

    assert drawn(swept, monkeypatch)[1] is None


def test_plot_names_arms_values_and_both_axes(real_plots):
    texts = re.findall(r">([^<>]+)</text>", tradeoff.arms_plot(CURVE))

    assert {"0", "2", "none", "feature_and_label", "nearest shared audience"} <= {
        *texts
    }
    assert "relative to positives only" in texts
    # .12 is 1: the axis on the right shares the height of the one on the left.
    assert any(text in texts for text in ("1.0", "1.00"))


def test_without_a_measured_answer_there_is_no_plot():
    assert tradeoff.arms_plot(None) == ""
    assert tradeoff.arms_plot(experiment(("none", "0", None, 0.1))) == ""
    older = experiment(("none", "0", 0.1, 0.1), primary_action=None)
    assert tradeoff.arms_plot(older) == ""
