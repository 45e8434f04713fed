"""What the report models hold, how they lie in the file, and what they refuse."""

import json

import pydantic
import pytest

from schema import reports

INTERVAL = {"value": 0.5, "low": 0.4, "high": 0.6, "count": 10}
EFFECT = {
    "control": 0.4,
    "treatment": 0.3,
    "responsiveness": -0.25,
    "low": -0.3,
    "high": -0.2,
    "simulations": 200,
}
NO_ANSWER = {
    **dict.fromkeys(("control", "treatment", "responsiveness", "low", "high")),
    "simulations": 0,
    "reason": "no creators",
}


def evaluation(**changed):
    return json.dumps({"metrics": {"recall@10": {**INTERVAL, **changed}}})


def brief(text, kind):
    with pytest.raises(reports.InvalidReportError) as error:
        reports.parse(text, kind, f"/run/{kind.__name__.lower()}.json")
    return error.value.brief


def test_a_file_that_is_not_there_is_none(tmp_path):
    assert reports.read(tmp_path / "evaluation.json", reports.Evaluation) is None


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "evaluation.json"
    interval = reports.Interval(value=0.5, low=0.4, high=0.6, count=10)
    written = reports.Evaluation(
        metrics={"recall@10": interval},
        baselines={
            "popularity": reports.Baseline(
                metrics={"recall@10": interval},
                differences={"recall@10": reports.Interval(value=-0.1)},
            )
        },
        model_id="m",
    )
    reports.write(path, written)

    assert json.loads(path.read_text()) == {
        "metrics": {"recall@10": INTERVAL},
        "baselines": {
            "popularity": {
                "recall@10": INTERVAL,
                "differences": {"recall@10": {"value": -0.1}},
            }
        },
        "model_id": "m",
    }
    assert reports.read(path, reports.Evaluation) == written


def test_effects_are_nested_in_code_and_flat_in_the_file():
    text = json.dumps(
        {"model_id": "m", "content.dislike": EFFECT, "creator.more.of": NO_ANSWER}
    )

    found = reports.parse(text, reports.Responsiveness)

    assert found.effects["content"]["dislike"].responsiveness == -0.25
    # Actions may hold dots; similarities do not.
    assert found.effects["creator"]["more.of"].reason == "no creators"
    assert json.loads(reports.to_json(found)) == json.loads(text)


def test_the_verdict_keeps_its_figures_by_the_public_names():
    content = {
        "blessed": False,
        "rules": [{"name": "a", "observed": None, "required": ">= 1", "passed": False}],
        "figures": {
            "metrics": {"recall@10": {"value": 0.5}},
            "responsiveness": {"content.dislike": {"responsiveness": -0.25}},
        },
        "policy": {"min_recall_at_10": 0.02, "similarities": None},
    }

    found = reports.parse(json.dumps(content), reports.Promotion)

    effects = found.figures.responsiveness
    assert effects["content"]["dislike"].responsiveness == -0.25
    assert json.loads(reports.to_json(found)) == content


def test_a_limit_that_is_switched_off_is_json_too():
    unlimited = reports.Promotion(
        blessed=False,
        rules=(),
        policy={"most": float("inf"), "least": -float("inf"), "never": float("nan")},
    )

    assert json.loads(reports.to_json(unlimited))["policy"] == {
        "most": "inf",
        "least": "-inf",
        "never": "nan",
    }


def test_reports_that_are_a_mapping_or_a_list_themselves():
    anomalies = '{"train": {"examples": 3, "anomalies": {"value": "too large"}}}'
    history = '[{"epoch": 1, "loss": 2.5}]'

    splits = reports.parse(anomalies, reports.Anomalies).root
    epochs = reports.parse(history, reports.TrainingHistory).root

    assert splits["train"].anomalies == {"value": "too large"}
    assert epochs[0]["loss"] == 2.5


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_counts_as_missing(number):
    text = evaluation(low=None, high=None).replace("0.5", number)

    found = reports.parse(text, reports.Evaluation)

    assert found.metrics["recall@10"].value is None
    assert '"value": null' in reports.to_json(found)


def test_keys_of_another_version_are_left_out_when_read():
    text = '{"metrics": {"mrr": {"value": 0.5, "p": 1}}, "signed_by": "x"}'

    assert reports.parse(text, reports.Evaluation).metrics["mrr"].value == 0.5


def test_a_key_that_no_model_knows_is_not_written():
    with pytest.raises(pydantic.ValidationError, match="valeu"):
        reports.Interval(valeu=0.5)


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (
            evaluation(value=1.5, high=1.5),
            reports.Evaluation,
            "metrics.recall@10.value: must be <= 1; got '1.5'",
        ),
        (
            evaluation(low=-0.1),
            reports.Evaluation,
            "metrics.recall@10.low: must be >= 0; got '-0.1'",
        ),
        (
            evaluation(low=0.55),
            reports.Evaluation,
            "metrics.recall@10: must hold low <= value <= high; got low 0.55, "
            "value 0.5, high 0.6",
        ),
        (
            evaluation(value=None),
            reports.Evaluation,
            "metrics.recall@10: must hold value where it holds an interval; "
            "got low 0.4, high 0.6",
        ),
        (
            json.dumps({"replay": {"content": {"net_high": -0.2}}}),
            reports.Responsiveness,
            "replay.content: must hold net_responsiveness where it holds an interval; "
            "got low None, high -0.2",
        ),
        (
            evaluation(count=-1),
            reports.Evaluation,
            "metrics.recall@10.count: must be >= 0; got '-1'",
        ),
        (
            evaluation(value="0.5"),
            reports.Evaluation,
            "metrics.recall@10.value: Input should be a valid number; got '0.5'",
        ),
        (
            evaluation(value=True),
            reports.Evaluation,
            "metrics.recall@10.value: Input should be a valid number; got 'True'",
        ),
        (
            json.dumps({"content.dislike": {**EFFECT, "treatment": 1.2}}),
            reports.Responsiveness,
            "effects.content.dislike.treatment: must be <= 1; got '1.2'",
        ),
        (
            json.dumps({"collateral": {"content": {**EFFECT, "low": -0.1}}}),
            reports.Responsiveness,
            "collateral.content: must hold low <= responsiveness <= high; "
            "got low -0.1, responsiveness -0.25, high -0.2",
        ),
        (
            '{"model_id": "m"}',
            reports.Evaluation,
            "metrics: Field required",
        ),
        ("[]", reports.Evaluation,
         "the whole file: Input should be an object; got '[]'"),
        ('{"a":\n no}', reports.Evaluation, "line 2, column 2: expected JSON; "
         "Expecting value"),
        ("[" * 100_000, reports.Evaluation, "nested too deeply"),
        (b'"\xe9"', reports.Evaluation, "expected UTF-8 text; got 'utf-8' codec can't "
         "decode byte 0xe9 in position 1: invalid continuation byte"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_place_and_reason(text, kind, reason):
    file = f"{kind.__name__.lower()}.json"
    assert brief(text, kind) == f"not a valid {file}: {reason}"


def test_differences_of_shares_may_be_negative():
    lost = {"value": -0.5, "low": -0.6, "high": -0.4}
    text = json.dumps(
        {
            "metrics": {"delta_ndcg@10": lost, "popularity_lift@10": lost},
            "baselines": {"popularity": {"differences": {"recall@10": lost}}},
        }
    )

    assert reports.parse(text, reports.Evaluation).metrics["delta_ndcg@10"].low == -0.6
    assert "must be >= -1" in brief(text.replace("-0.6", "-1.6"), reports.Evaluation)


def test_the_error_names_the_whole_path_for_who_has_the_files(tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text("{}", encoding="utf-8")

    with pytest.raises(reports.InvalidReportError) as error:
        reports.read(path, reports.Evaluation)

    assert str(error.value) == f"{path}, key metrics: Field required"
