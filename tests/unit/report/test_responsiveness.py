import pytest

from pipeline.report.charts import error_bars
from pipeline.report.sections import responsiveness
from schema import reports


def effect(change, low, high, control=0.4, treatment=0.3):
    return {
        "control": control,
        "treatment": treatment,
        "responsiveness": change,
        "low": low,
        "high": high,
        "simulations": 200,
    }


def build(**effects):
    content = {key.replace("_", "."): value for key, value in effects.items()}
    return responsiveness.build(
        reports.Responsiveness.model_validate(
            {**content, "simulations": 200, "trajectory_length": 50, "slate_size": 10}
        )
    )


@pytest.mark.parametrize(
    ("change", "low", "high", "judgement", "words"),
    [
        (-0.25, -0.3, -0.2, "good", "fall by 25.0\u00a0%"),
        (-0.03, -0.04, -0.02, "weak", "hardly an answer"),
        (0.25, 0.2, 0.3, "bad", "rise by 25.0\u00a0%"),
        (-0.25, -0.6, 0.1, "unclear", "within chance"),
        (0.0, 0.0, 0.0, "bad", "changes nothing"),
    ],
)
def test_sentences(change, low, high, judgement, words):
    (finding,) = build(content_dislike=effect(change, low, high)).summary
    assert finding.judgement == judgement
    assert words in finding.text
    assert "same categories" in finding.text


NET = {
    "before": 0.35,
    "net_responsiveness": -0.12,
    "net_low": -0.15,
    "net_high": -0.09,
}


def test_the_net_figure_comes_first():
    """Beside the slate before it is what the user sees; the paper's follows."""
    built = build(
        content_dislike=effect(-0.25, -0.3, -0.2),
        audience_dislike={**effect(-0.25, -0.3, -0.2), **NET},
    )
    first = built.summary[0]
    assert first.judgement == "good"
    assert first.text == (
        "After a dislike, items that share its audience fall by 12.0\u00a0% beside the "
        "slate before (35.0\u00a0% before, 40.0\u00a0% without the dislike, "
        "30.0\u00a0% with it); beside the slate without the dislike they fall by "
        "25.0\u00a0%."
    )
    row = built.rows[0]
    assert (row.before, row.control, row.treatment) == (
        "35.0\u00a0%",
        "40.0\u00a0%",
        "30.0\u00a0%",
    )
    assert row.net_change.value == "\u221212.0\u00a0%"
    assert row.change.value == "\u221225.0\u00a0%"


@pytest.mark.parametrize(
    ("net", "low", "high", "judgement", "words"),
    [
        (0.05, 0.02, 0.08, "bad", "more of it than without a word"),
        (0.05, -0.02, 0.08, "unclear", "within chance"),
        (-0.05, -0.07, -0.03, "weak", "hardly an answer"),
    ],
)
def test_more_of_the_same_is_told_whatever_the_control_says(
    net, low, high, judgement, words
):
    changed = {**NET, "net_responsiveness": net, "net_low": low, "net_high": high}
    (finding,) = build(
        audience_dislike={**effect(-0.25, -0.3, -0.2), **changed}
    ).summary
    assert finding.judgement == judgement
    direction = "rise" if net > 0.0 else "fall"
    assert f"{direction} by 5.0\u00a0% beside the slate before" in finding.text
    assert words in finding.text


def test_nothing_before_has_its_own_reason():
    content = effect(-0.25, -0.3, -0.2) | {"net_reason": "nothing before"}
    (row,) = build(content_dislike=content).rows
    assert (row.net_change.value, row.net_change.reason) == ("\u2013", "nothing before")
    assert row.change.value == "\u221225.0\u00a0%"


def test_methods_say_what_can_be_believed():
    made = {
        "audience": {
            "method": "cosine",
            "read_by_training": False,
            "reliability": 0.554,
        },
        "content": {"method": "sets", "read_by_training": True},
        "creator": {"method": "equal"},
    }
    built = responsiveness.build(
        reports.Responsiveness.model_validate({"similarities": made})
    )
    assert dict(built.methods) == {
        "shared audience": "cosine; training does not read it; its reliability, from "
        "two halves of its users, is 0.55",
        "same categories": "sets; training reads it",
        "same creator": "equal",
    }


def test_levels_are_told():
    (finding,) = build(creator_dislike=effect(-0.25, -0.3, -0.2)).summary
    assert "40.0\u00a0% to 30.0\u00a0%" in finding.text


def test_what_could_not_be_measured_is_a_dash_with_its_reason():
    built = build(
        creator_dislike={"responsiveness": None, "reason": "no creators", "low": None}
    )
    (row,) = built.rows
    assert (row.change.value, row.control) == ("\u2013", "\u2013")
    assert (row.change.reason, row.change.interval) == ("no creators", "")
    assert "not measured, because no creators" in built.summary[0].text


def test_the_plot_tells_what_was_not_measured(real_plots):
    built = build(
        content_dislike=effect(-0.1, -0.2, -0.05),
        creator_dislike={"responsiveness": None, "reason": "no creators"},
    )
    assert built.plot.count("(not measured)") == 1
    assert "paper: feature + label" in built.plot
    assert "beside the control" in built.plot
    assert "beside the slate before" not in built.plot  # that was not measured


def test_the_plot_draws_the_net_figure_first(monkeypatch):
    asked = []
    monkeypatch.setattr(
        error_bars, "responsiveness", lambda *given: asked.append(given) or ""
    )
    responsiveness.build(
        reports.Responsiveness.model_validate(
            {"audience.dislike": {**effect(-0.25, -0.3, -0.2), **NET}}
        ),
        {"audience": {"dislike": reports.Effect.model_validate(NET)}},
    )

    ((_, series, _),) = asked
    assert [(one.label, one.points[0].value) for one in series] == [
        ("beside the slate before", -0.12),
        ("beside the control", -0.25),
        ("last blessed model, beside the slate before", -0.12),
    ]


def test_published_figures_stand_beside_dislikes_only():
    built = build(
        content_dislike=effect(-0.1, -0.2, -0.05),
        creator_dislike=effect(-0.1, -0.2, -0.05),
        cooccurrence_dislike=effect(-0.1, -0.2, -0.05),
        content_skip=effect(-0.1, -0.2, -0.05),
    )
    figures = {row.name: row.paper for row in built.rows}
    assert built.paper_arms == ("no signal", "feature only", "feature + label")
    minus, percent = "\u2212", "\u00a0%"
    assert figures["content.dislike"] == (
        f"0.0{percent}",
        f"{minus}22.7{percent}",
        f"{minus}60.8{percent}",
    )
    assert figures["creator.dislike"] == (
        f"0.0{percent}",
        f"{minus}22.8{percent}",
        f"{minus}64.1{percent}",
    )
    assert figures["cooccurrence.dislike"] == ("\u2013",) * 3
    assert figures["content.skip"] == ("\u2013",) * 3


def test_rows_run_by_action_and_then_by_similarity():
    one = effect(-0.1, -0.2, -0.05)
    built = build(
        content_skip=one,
        cooccurrence_dislike=one,
        content_dislike=one,
        other_dislike=one,
    )
    assert [row.name for row in built.rows] == [
        "content.dislike",
        "cooccurrence.dislike",
        "other.dislike",
        "content.skip",
    ]


def test_no_report_no_section_and_no_similarity_no_plot():
    assert responsiveness.build(None) is None
    assert build().plot == ""
