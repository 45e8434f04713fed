import pytest

from pipeline.report.charts import error_bars, lines
from pipeline.report.sections import side_effects
from schema import reports
from tests.unit.report import report_run


def effect(change, low, high, **other):
    return {"responsiveness": change, "low": low, "high": high, **other}


CONTENT = {
    **report_run.RESPONSIVENESS,
    "content.skip": effect(-0.1, -0.2, 0.1, simulations=50),
    "primary_action": "dislike",
    "explicit_actions": ["dislike"],
    "action_counts": {"dislike": 9, "skip": 0},
    "treatments": {
        "taken_back": {"content": effect(-0.02, -0.05, 0.01, simulations=40)},
    },
    "specificity": {
        "content": {
            "similar_removed": 0.4,
            "other_removed": 0.1,
            "difference": 0.3,
            "low": 0.2,
            "high": 0.4,
        }
    },
    "collateral": {"content": effect(-0.03, -0.05, -0.01)},
    "dose_response": {
        "content": [
            {"dose": 1, **effect(-0.2, -0.3, -0.1)},
            {"dose": 2, **effect(None, None, None, reason="too few")},
            {"dose": 3, **effect(-0.6, -0.7, -0.5)},
        ]
    },
    "slices": {
        "item:tail": {"content": effect(-0.3, -0.4, -0.2)},
        "activity:low": {"content": effect(-0.1, -0.2, 0.1)},
        "cluster:War": {"content": effect(0.2, 0.1, 0.3)},
        "item:cold": {"content": {"reason": "nobody meets them"}},
    },
}


@pytest.fixture
def drawn(monkeypatch):
    """What the plots were asked to draw."""
    asked = {}
    monkeypatch.setattr(
        error_bars, "side_by_side", lambda panels, *_: asked.update(slices=panels) or ""
    )
    monkeypatch.setattr(
        lines, "dose_and_decay", lambda *curves: asked.update(curves=curves) or ""
    )
    return asked


def build(**changed):
    content = {**CONTENT, **changed}
    return side_effects.build(reports.Responsiveness.model_validate(content))


def test_only_measured_similarities_have_a_column(drawn):
    assert build().similarities == ("same categories",)


def test_aim_and_damage_are_judged_by_their_intervals(drawn):
    _, aim, damage = build().findings
    assert aim.judgement == "good"
    assert "40.0\u00a0% of the items of the same categories leave" in aim.text
    assert "10.0\u00a0% of all others" in aim.text
    assert damage.judgement == "bad"
    assert "change by \u22123.0\u00a0% beside the slate without the" in damage.text


def test_damage_is_told_beside_the_slate_before_where_that_was_measured(drawn):
    """Beside the control they fall by 3 %, beside the slate before they rise."""
    net = {"net_responsiveness": 0.04, "net_low": 0.01, "net_high": 0.07}
    changed = {"content": effect(-0.03, -0.05, -0.01, **net)}
    damage = build(collateral=changed).findings[-1]

    assert damage.judgement == "good"
    assert "change by +4.0\u00a0% beside the slate before" in damage.text


@pytest.mark.parametrize(
    ("difference", "low", "high", "judgement", "words"),
    [
        (0.15, 0.13, 0.17, "good", "is aimed at what was disliked"),
        (0.04, 0.03, 0.05, "weak", "nearly as many, so the answer is hardly aimed"),
        (0.04, -0.01, 0.09, "unclear", "not shown to be aimed"),
        (-0.04, -0.05, -0.03, "bad", "hits other items more"),
    ],
)
def test_a_few_points_more_are_no_aim(drawn, difference, low, high, judgement, words):
    specific = {
        "similar_removed": 0.525,
        "other_removed": 0.525 - difference,
        "difference": difference,
        "low": low,
        "high": high,
    }
    aim = build(specificity={"content": specific}).findings[1]

    assert aim.judgement == judgement
    assert words in aim.text


@pytest.mark.parametrize(
    ("change", "low", "high", "judgement", "words"),
    [
        (-0.4, -0.45, -0.35, "bad", "40.0\u00a0% fewer than after likes alone: the"),
        (-0.03, -0.06, 0.01, "good", "the dislike is undone"),
        (-0.09, -0.12, -0.06, "unclear", "within chance"),
        (0.2, 0.15, 0.25, "bad", "20.0\u00a0% more than after likes alone"),
    ],
)
def test_disliked_and_then_liked_is_good_only_where_nothing_is_left(
    drawn, change, low, high, judgement, words
):
    changed = {"taken_back": {"content": effect(change, low, high)}}
    built = build(treatments=changed)

    assert built.findings[0].judgement == judgement
    assert words in built.findings[0].text
    row = built.treatments[-1]
    assert (row.name, row.cells[0].judgement) == (
        "disliked, and then liked after all",
        judgement,
    )


@pytest.mark.parametrize(
    ("kept", "judgement", "words"),
    [
        (0.711, "good", "71.1\u00a0% of the slate before stays after a dislike."),
        (0.4, "bad", "40.0\u00a0% of the slate before stays after a dislike: it ex"),
    ],
)
def test_what_stays_comes_first(drawn, kept, judgement, words):
    first = build(kept={"dislike": {"of_before": kept}}).findings[0]

    assert first.judgement == judgement
    assert first.text.startswith(words)


@pytest.mark.parametrize(
    ("change", "low", "high", "judgement", "words"),
    [
        (-0.12, -0.15, -0.09, "good", "12.0\u00a0% fewer beside the slate without"),
        (-0.03, -0.04, -0.02, "weak", "little of the answer is left"),
        (-0.03, -0.07, 0.01, "unclear", "within chance"),
        (0.03, 0.01, 0.05, "bad", "3.0\u00a0% more beside"),
    ],
)
def test_how_long_it_lasts_is_told_beside_before(
    drawn, change, low, high, judgement, words
):
    net = {"net_responsiveness": change, "net_low": low, "net_high": high}
    later = {"events:5": {"content": effect(-0.3, -0.4, -0.2, **net)}}
    finding = build(persistence=later).findings[0]

    assert finding.judgement == judgement
    assert words in finding.text


def test_a_sentence_is_about_the_independent_judge_where_it_measured(drawn):
    net = {"net_responsiveness": -0.3, "net_low": -0.4, "net_high": -0.2}
    every = {
        name: effect(-0.5, -0.6, -0.4, **net)
        for name in ("audience", "audience_nearest", "content")
    }
    built = build(
        persistence={"events:5": every},
        slices={"item:tail": every},
        **{f"{name}.dislike": one for name, one in every.items()},
    )

    assert "items nearest to it by their audience" in built.findings[0].text
    assert built.slices_beside == "the slate before"
    assert {cell.value for cell in built.slices[0].cells} == {"\u221230.0\u00a0%"}
    (panel,) = drawn["slices"]
    assert panel.title.startswith("Change of items of the nearest shared audience")


def test_persistence_has_a_row_beside_before_and_one_beside_the_control(drawn):
    net = {"net_responsiveness": -0.1, "net_low": -0.2, "net_high": -0.05}
    later = {
        name: {"content": effect(-0.3, -0.4, -0.2, **net)}
        for name in ("events:10", "events:5", "gap_ms:604800000", "gap_ms:86400000")
    }
    rows = build(persistence=later).persistence
    assert [row.name for row in rows[::2]] == [
        "after 5 further events, beside before",
        "after 10 further events, beside before",
        "a day later, beside before",
        "7 days later, beside before",
    ]
    assert rows[1].name == "after 5 further events, beside the control"
    assert rows[0].cells[0].value == "\u221210.0\u00a0%"
    assert rows[1].cells[0].value == "\u221230.0\u00a0%"


def test_other_reactions_by_name(drawn):
    skip, taken_back = build().treatments
    assert skip.name == "skip on top of the control (never in the training log)"
    assert (skip.simulations, skip.cells[0].judgement) == ("50", "unclear")
    assert taken_back.name == "disliked, and then liked after all"
    assert taken_back.cells[0].value == "\u22122.0\u00a0%"


def test_slices_stand_in_a_known_order_and_without_a_value_only_in_the_table(drawn):
    built = build()
    (panel,) = drawn["slices"]
    assert panel.rows == (
        "activity of the user: low",
        "popularity of the item: tail",
        "cluster: War",
    )
    assert [point.value for point in panel.series[0].points] == [-0.1, -0.3, 0.2]
    assert "beside the control" in panel.title  # nothing was measured before
    cold = built.slices[-1]
    assert cold.name == "popularity of the item: cold"
    assert (cold.cells[0].value, cold.cells[0].reason) == (
        "\u2013",
        "nobody meets them",
    )


def test_points_without_a_value_are_no_points_of_the_curve(drawn):
    build()
    (dose,), decay = drawn["curves"]
    assert {place: point.value for place, point in dose.points.items()} == {
        1: -0.2,
        3: -0.6,
    }
    assert decay == []


@pytest.mark.usefixtures("real_plots")
def test_curves_are_drawn_side_by_side():
    plot = build().dose_plot
    assert "More dislikes of similar items" in plot
    assert "not measured" in plot  # no decay


def test_no_section_without_an_explicit_negative_action():
    assert side_effects.build(None) is None
    assert build(primary_action=None) is None
