import pytest

from components.promotion_gate import rules
from pipeline.report import run_reports
from pipeline.report.sections import verdict
from schema import settings
from tests import builders
from tests.unit.report import report_run


def build(tmp_path, **changed):
    return verdict.build(run_reports.read(report_run.write_run(tmp_path, **changed)))


def test_blessed(tmp_path):
    built = build(tmp_path)
    assert (built.state, built.headline) == ("blessed", "Blessed")
    assert "passed all 3 rules" in built.explanation
    assert built.model_id == report_run.MODEL_ID
    assert not built.failed
    assert not built.warnings


def test_refused_lists_the_failed_rules_only(tmp_path):
    promotion = report_run.altered(report_run.PROMOTION, "blessed", to=False)
    promotion["rules"][1].update(observed=0.0123, passed=False)
    built = build(tmp_path, promotion=promotion)
    assert built.state == "refused"
    assert "1 of 3 rules failed" in built.explanation
    (failed,) = built.failed
    assert (failed.name, failed.observed) == ("recall@10", "0.0123")
    assert failed.required == "\u2265 0.02"


def test_a_rule_without_observation_says_so(tmp_path):
    promotion = report_run.altered(report_run.PROMOTION, "blessed", to=False)
    promotion["rules"][1].update(observed=None, passed=False)
    (failed,) = build(tmp_path, promotion=promotion).failed
    assert failed.observed == "\u2013 nothing was observed"


def test_a_refusal_without_rules_is_not_called_zero_failures(tmp_path):
    promotion = {"blessed": False, "rules": [], "model_id": None}
    assert "no rule" in build(tmp_path, promotion=promotion).explanation


def test_no_gate_no_verdict(tmp_path):
    root = report_run.write_run(tmp_path, leave_out=("promotion.json",))
    built = verdict.build(run_reports.read(root))
    assert built.state == "undecided"
    assert "promotion.json is missing" in built.explanation
    assert built.model_id == report_run.MODEL_ID


def test_files_of_different_models_are_pointed_out(tmp_path):
    old = {**report_run.RESPONSIVENESS, "model_id": "older"}
    (warning,) = build(tmp_path, responsiveness=old).warnings
    assert "responsiveness.json: older" in warning


def test_a_file_that_names_no_model_is_no_contradiction(tmp_path):
    assert (
        build(
            tmp_path, responsiveness={**report_run.RESPONSIVENESS, "model_id": None}
        ).warnings
        == ()
    )


def test_equal_ids_are_shortened_and_different_ones_are_not(tmp_path):
    promotion = report_run.altered(
        report_run.PROMOTION, "rules", 2, to={**report_run.PROMOTION["rules"][0]}
    )
    promotion["rules"][2].update(observed="f" * 32, passed=False)
    same, _, other = build(tmp_path, promotion=promotion).rules
    assert same.observed == "0123456789ab\u2026"
    assert same.required == "== 0123456789ab\u2026"
    assert other.observed == "f" * 32
    assert other.required == f"== {report_run.MODEL_ID}"


def test_every_rule_of_the_gate_has_a_meaning():
    evaluation = {
        "model_id": "m",
        "metrics": {"recall@10": {"value": 0.1}},
        "baselines": {
            "last_blessed": {
                "recall@10": {"value": 0.1},
                "negative_recall@10": {"value": 0.1},
                "differences": {"recall@10": {"high": 0.1}},
            }
        },
    }
    effect = {"responsiveness": -0.1, "high": -0.05}
    kinds = ("content.dislike", "creator.dislike", "cooccurrence.skip")
    policy = settings.GateSettings(similarities=kinds)
    responsiveness = {
        "model_id": "m",
        "primary_action": "dislike",
        **dict.fromkeys(kinds, effect),
    }
    names = []
    for content, gate in (
        (responsiveness, policy),
        ({"model_id": "m"}, settings.GateSettings()),
    ):
        evidence = builders.evidence(
            evaluation=evaluation,
            responsiveness=content,
            event_anomalies={"train": "broken"},
            baseline_model_id="n",
        )
        names += [rule.name for rule in rules.decide(evidence, gate).rules]
    assert len(set(names)) > 19
    assert [name for name in names if not verdict.meaning(name)] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("recall@20", "first 20 recommendations"),
        ("cooccurrence.skip beside before (interval high)", "After a skip"),
        ("replay.audience_nearest beside before (interval low)", "clearly rise"),
        ("short_histories beside before (lowest interval high)", "short histories"),
        ("persistence.events:5 beside before (lowest interval high)", "5 events"),
        ("kept.dislike", "A dislike leaves"),
        ("responsiveness", "measured at all"),
        ("collateral.creator (interval low)", "other things that the user likes"),
        ("catalog_data_anomalies", "keep to their schema"),
        ("a_rule_of_tomorrow", ""),
    ],
)
def test_meanings(name, words):
    found = verdict.meaning(name)
    assert words in found
    assert bool(found) == bool(words)
