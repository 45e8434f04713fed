"""Responsiveness of real exported models: the arms' promises hold as served."""

import copy
import dataclasses
import json
import shutil

import pytest
from tfx.types import standard_artifacts

from components import artifacts
from components.responsiveness import (
    batches,
    config,
    executor,
    measurement,
    recommend,
)
from schema import errors, reports, settings
from tests.components import fake_artifacts, tiny_pipeline


def simulation_config(feedback=tiny_pipeline.FEEDBACK, **changes):
    return config.SimulationConfig(
        feedback=feedback,
        responsiveness=settings.ResponsivenessSettings(
            **{
                "simulations": 40,
                "trajectory_length": 4,
                "slate_size": 10,
                "cooccurrence_clusters": 5,
                "bootstrap_samples": 50,
                "batch_size": 15,
                "probe_simulations": 20,
                "decay_steps": 2,
                "doses": (1, 2),
                "neighbours": 10,
                "persistence_events": (1, 3),
                "persistence_gaps_ms": (86_400_000,),
                "undoing_likes": 2,
                "treatment_actions": ("dislike",),
                **changes,
            }
        ),
        max_length=tiny_pipeline.MAX_LENGTH,
    )


@pytest.fixture
def execute(raw_examples, tmp_path):
    """Runs the executor as the pipeline does, and returns the report's bytes."""

    def run(model, splits=None, **changes):
        output = fake_artifacts.make(
            artifacts.ResponsivenessReport, tmp_path / "responsiveness"
        )
        executor.Executor().Do(
            {
                "examples": [raw_examples(**(splits or {}))],
                "model": [fake_artifacts.make(standard_artifacts.Model, model)],
            },
            {"responsiveness": [output]},
            {"simulation_config": simulation_config(**changes).to_json()},
        )
        return (tmp_path / "responsiveness" / "responsiveness.json").read_bytes()

    return run


@pytest.fixture(scope="module")
def kept():
    """Model folder to the loaded model, and what was measured of it to the report."""
    return {}


@pytest.fixture
def measure(raw_examples, kept):
    """Measures, and returns the report as it is written; once for each question."""

    def run(model, splits=None, **changes):
        examples = raw_examples(**(splits or {}))
        folder = str(model / "Format-Serving")
        if folder not in kept:
            kept[folder] = recommend.load(folder)
        given = simulation_config(**changes)
        question = (folder, str(splits), given.to_json())
        if question not in kept:
            ask = recommend.through(kept[folder], given.max_length)
            report = measurement.measure(
                kept[folder],
                [f"{examples.uri}/Split-train/part-00000.gz"],
                [f"{examples.uri}/Split-judge/part-00000.gz"]
                if "judge" in (splits or {})
                else [],
                given,
                batches.run_in_process(ask),
            )
            kept[question] = reports.to_json(report)
        return json.loads(kept[question])

    return run


KEYS = ("content.dislike", "creator.dislike", "cooccurrence.dislike")


@pytest.mark.parametrize("arm", ["none", "label"])
def test_arm_that_cannot_see_a_dislike_gives_exactly_zero(measure, exported_model, arm):
    report = measure(exported_model(arm))

    for key in KEYS:
        effect = report[key]
        assert effect["control"] == effect["treatment"] > 0.0
        # What having met item k changes is all that there is beside the slate before.
        assert effect["net_responsiveness"] == pytest.approx(
            effect["control"] / effect["before"] - 1.0
        )
        assert (effect["responsiveness"], effect["low"], effect["high"]) == (0, 0, 0)
        assert effect["simulations"] == 40
    further = all_effects(report)
    assert len(further) > 40
    for path, effect in further.items():
        # There the control meets item k once, and the treatment twice.
        is_met_twice = path.startswith("treatments.taken_back")
        if effect["responsiveness"] is not None and not is_met_twice:
            figures = (effect["responsiveness"], effect["low"], effect["high"])
            assert figures == (0, 0, 0), path
    for path in (
        "replay.content",
        "short_histories.content",
        "treatments.in_a_row.content",
        "decay.content.1",
    ):
        assert further[path]["control"] > 0.0, path


def all_effects(report, path=""):
    """Every effect of a report, however deep, by its path."""
    if isinstance(report, list):
        report = {str(number): entry for number, entry in enumerate(report)}
    if not isinstance(report, dict):
        return {}
    if "responsiveness" in report:
        return {path.lstrip("."): report}
    found = {}
    for key, value in report.items():
        found.update(all_effects(value, f"{path}.{key}"))
    return found


def test_arm_that_sees_a_dislike_answers_it(measure, exported_model):
    """Which way is chance with random weights; that it answers at all is not."""
    report = measure(exported_model("feature_and_label"))

    assert any(report[key]["responsiveness"] != 0.0 for key in KEYS)
    for key in KEYS:
        effect = report[key]
        assert effect["responsiveness"] == pytest.approx(
            effect["treatment"] / effect["control"] - 1.0
        )
        assert effect["low"] <= effect["responsiveness"] <= effect["high"]


def test_same_seed_same_report_byte_for_byte(execute, measure, exported_model):
    first = execute(exported_model())

    assert execute(exported_model()) == first
    assert json.loads(first).items() > measure(exported_model()).items()
    assert measure(exported_model(), seed=2) != measure(exported_model())


def test_batches_have_no_influence(measure, exported_model):
    """Random numbers are addressed by simulation, not drawn in the order of work."""
    assert measure(exported_model(), batch_size=7) == measure(exported_model())


def test_beam_gives_the_same_report(execute, measure, exported_model):
    on_beam = json.loads(execute(exported_model(), use_beam=True))

    assert on_beam.pop("examples_uri")
    assert on_beam == measure(exported_model())


@pytest.mark.parametrize("simulations", [10, 40])
def test_order_of_the_log_files_means_nothing(
    measure, exported_model, tiny_log, simulations
):
    """Fewer simulations than users, and more; some users have two windows."""
    backwards = {"train": tiny_log.train[::-1]}

    first = measure(exported_model(), simulations=simulations)

    assert measure(exported_model(), splits=backwards, simulations=simulations) == first


def test_report_says_what_was_simulated(measure, exported_model, tiny_log):
    report = measure(exported_model())

    assert report["simulations"] == 40
    assert report["trajectory_length"] == 4
    assert report["distinct_users"] == len({w.user_id for w in tiny_log.train})
    assert 0 < len(report["examples"]) <= 5
    example = report["examples"][0]
    assert example["action"] == "dislike"
    assert len(example["before"]) == len(example["after"]) == 10
    shown = {item["item_id"] for item in example["before"]}
    met = {item["item_id"] for item in example["history"]}
    assert not shown & {*met, example["item"]["item_id"]}
    assert example["is_beside_before"]
    wanted = {*example["item"]["categories"]}
    for item in (*example["before"], *example["after"]):
        # Identical sets are as alike as can be, by degrees and by content.
        is_same = bool(wanted) and {*item["categories"]} == wanted
        assert (item["likeness"].get("content") == 1.0) == is_same
        degree = item["likeness"].get("category_overlap", 0.0)
        assert (degree == pytest.approx(1.0)) == is_same
        assert 0.0 <= degree <= 1.0


def test_skip_is_measured_beside_the_dislike(measure, exported_model):
    report = measure(exported_model(), treatment_actions=("dislike", "skip"))

    assert report["content.skip"]["responsiveness"] is not None
    assert report["content.dislike"]["control"] == report["content.skip"]["control"]


def test_action_that_the_policy_lacks_has_a_reason_and_no_number(
    measure, exported_model
):
    feedback = settings.FeedbackSettings(
        actions={
            name: action
            for name, action in tiny_pipeline.FEEDBACK.actions.items()
            if name != "dislike"
        }
    )

    report = measure(exported_model(), feedback=feedback)

    for key in KEYS:
        assert report[key]["responsiveness"] is None
        assert report[key]["simulations"] == 0
        assert "'dislike'" in report[key]["reason"]
    assert report["examples"] == []


@pytest.fixture
def model_without(exported_model, tmp_path):
    """A copy of a model whose catalogue lacks some of its columns."""

    def make(**emptied):
        model = shutil.copytree(exported_model(), tmp_path / "model")
        path = model / "Format-Serving" / "assets.extra" / "catalog.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        items = [{**json.loads(line), **emptied} for line in lines]
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
        return model

    return make


def test_catalogue_without_creators_has_a_reason(measure, model_without):
    report = measure(model_without(creator_id=""))

    assert report["creator.dislike"]["responsiveness"] is None
    assert "same creator" in report["creator.dislike"]["reason"]
    assert report["content.dislike"]["responsiveness"] is not None


def test_catalogue_with_neither_is_judged_by_cooccurrence(measure, model_without):
    report = measure(model_without(creator_id="", categories=[]))

    content, together = report["content.dislike"], report["cooccurrence.dislike"]
    assert content == together
    assert content["responsiveness"] is not None
    assert report["similarities"]["content"]["source"] == "log"
    assert "no categories" in report["similarities"]["content"]["method"]
    assert report["similarities"]["cooccurrence"]["source"] == "log"


def test_too_few_users_for_an_interval_are_no_figure(measure, exported_model, tiny_log):
    report = measure(exported_model(), splits={"train": tiny_log.train[:19]})

    for key in KEYS:
        assert report[key]["responsiveness"] is None
        assert "min_users" in report[key]["reason"]
    assert "19 users for 40 simulations" in report["warnings"][0]


def test_fewer_users_than_simulations_are_told(measure, exported_model, tiny_log):
    report = measure(exported_model(), simulations=100)

    assert report["distinct_users"] == len({w.user_id for w in tiny_log.train}) == 40
    assert "40 users for 100 simulations" in report["warnings"][0]


def test_model_without_the_signature_is_an_input_error(execute, exported_towers):
    """The Trainer's towers answer with embeddings, not with items."""
    with pytest.raises(errors.InputError, match=r"serving_default.*IndexBuilder"):
        execute(exported_towers())


def test_further_blocks_say_what_they_are_about(measure, exported_model):
    report = measure(exported_model())

    assert report["primary_action"] == "dislike"
    assert report["explicit_actions"] == ["dislike"]
    assert [p["dose"] for p in report["dose_response"]["content"]] == [1, 2]
    assert [p["decay"] for p in report["decay"]["content"]] == [1, 2, 4]
    assert {"in_a_row", "taken_back", "liked_after"} == set(report["treatments"])
    later = {"events:1", "events:3", "gap_ms:86400000"}
    assert set(report["persistence"]) == later
    assert report["persistence"]["events:1"]["content"] == {
        key: value
        for key, value in report["decay"]["content"][1].items()
        if key != "decay"
    }
    assert set(report["kept"]) == {"dislike", *report["treatments"], *later}
    assert report["replay"]["content"]["simulations"] == 40
    assert set(report["collateral"]) == {"content", "creator", "cooccurrence"}
    assert set(report["specificity"]) == {*report["similarities"]}
    assert {"activity:low", "item:head"} < set(report["slices"])
    # The first point of the decay is the answer of the probed simulations themselves.
    assert report["decay"]["content"][0]["simulations"] == 20


# --- the judge ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def judges(tiny_log):
    """The windows of users who judge: five beside each of the log."""
    return [
        dataclasses.replace(window, user_id=window.user_id + b"-judge-%d" % number)
        for window in tiny_log.train
        for number in range(5)
    ]


def test_audience_of_the_judge_is_measured(measure, exported_model, judges):
    report = measure(exported_model(), splits={"judge": judges})

    told = report["similarities"]
    unread = {name for name, made in told.items() if not made["read_by_training"]}
    assert unread == {"audience", "audience_nearest"}
    assert told["audience"]["users"] == 5 * 40
    assert -1.0 <= told["audience"]["reliability"] <= 1.0
    for name in ("audience", "audience_nearest", "category_overlap"):
        effect = report[f"{name}.dislike"]
        assert 0.0 < effect["before"] < 1.0
        assert effect["net_low"] <= effect["net_responsiveness"] <= effect["net_high"]


def test_executor_reads_the_split_of_the_judge(
    execute, measure, exported_model, judges
):
    written = json.loads(execute(exported_model(), splits={"judge": judges}))

    assert written.items() > measure(exported_model(), splits={"judge": judges}).items()


def test_judge_is_read_by_nothing_else(measure, exported_model, judges):
    """Other events of the judge's users change the judge's figures, and no other."""
    moved = {item: item for window in judges for item in window.item_id}
    moved = dict(zip(moved, [*list(moved)[5:], *list(moved)[:5]], strict=True))
    other = [
        dataclasses.replace(window, item_id=[moved[i] for i in window.item_id])
        for window in judges
    ]

    first, second = (
        measure(exported_model(), splits={"judge": found}) for found in (judges, other)
    )

    effects, changed = all_effects(first), all_effects(second)
    assert effects.keys() == changed.keys()
    differing = {path for path in effects if effects[path] != changed[path]}
    assert "audience.dislike" in differing
    assert all("audience" in path for path in differing)
    for block in ("kept", "warnings", "action_counts"):
        assert first[block] == second[block]
    assert unjudged(first["examples"]) == unjudged(second["examples"])
    assert first["examples"] != second["examples"]


def unjudged(examples):
    """The examples without what the judge says of the items shown."""
    found = copy.deepcopy(examples)
    for example in found:
        for item in (*example["before"], *example["after"]):
            item["likeness"] = {
                name: degree
                for name, degree in item["likeness"].items()
                if not name.startswith("audience")
            }
    return found


@pytest.mark.parametrize(("users", "words"), [(0, "no users"), (5, "5 users judge")])
def test_too_few_judges_are_no_figure_and_not_0(
    measure, exported_model, judges, users, words
):
    chosen = sorted({window.user_id for window in judges})[:users]
    few = [window for window in judges if window.user_id in chosen]

    report = measure(exported_model(), splits={"judge": few})

    for name in ("audience", "audience_nearest"):
        effect = report[f"{name}.dislike"]
        assert effect["responsiveness"] is effect["net_responsiveness"] is None
        assert words in effect["reason"]
        assert report["similarities"][name]["reliability"] is None


# --- bad input ---------------------------------------------------------------------


def test_log_of_five_users_has_reasons(measure, exported_model, tiny_log, judges):
    chosen = sorted({window.user_id for window in tiny_log.train})[:5]
    few = [window for window in tiny_log.train if window.user_id in chosen]

    report = measure(
        exported_model(), splits={"train": few, "judge": judges[:1]}, simulations=20
    )

    for name in ("content", "creator", "category_overlap", "audience"):
        effect = report[f"{name}.dislike"]
        assert effect["responsiveness"] is effect["net_responsiveness"] is None
        assert effect["reason"]


def test_catalogue_without_any_feature_is_judged_by_its_audience(
    measure, model_without, judges
):
    report = measure(
        model_without(creator_id="", categories=[]), splits={"judge": judges}
    )

    overlap = report["category_overlap.dislike"]
    assert overlap["net_responsiveness"] is None
    assert "no two items of the catalogue have a category" in overlap["reason"]
    assert report["audience.dislike"]["net_responsiveness"] is not None


def test_history_of_dislikes_alone_is_simulated(measure, exported_model, tiny_log):
    hated = [
        dataclasses.replace(window, action=[b"dislike"] * len(window.action))
        for window in tiny_log.train
    ]

    report = measure(exported_model(), splits={"train": hated})

    assert report["content.dislike"]["net_responsiveness"] is not None
    assert report["collateral"]["content"]["responsiveness"] is None
    assert "other liked clusters" in report["collateral"]["content"]["reason"]


def test_persistence_beyond_the_catalogue_has_a_reason(measure, exported_model):
    report = measure(exported_model(), persistence_events=(1, 500))

    assert report["persistence"]["events:1"]["content"]["control"] is not None
    beyond = report["persistence"]["events:500"]["content"]
    assert beyond["responsiveness"] is beyond["net_responsiveness"] is None
    assert "too few candidates" in beyond["reason"]
    assert "events:500" not in report["kept"]


def test_empty_train_split_is_an_input_error(measure, exported_model):
    with pytest.raises(errors.InputError, match="train split"):
        measure(exported_model(), splits={"train": []})


def test_trajectory_longer_than_the_catalogue_is_an_input_error(
    measure, exported_model
):
    with pytest.raises(errors.InputError, match="trajectory_length"):
        measure(exported_model(), trajectory_length=200, simulations=2)
