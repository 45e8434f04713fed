import json
import xml.etree.ElementTree as ElementTree

import pytest

from pipeline import config as config_lib
from pipeline.studies import experiment, experiment_figures, experiment_files
from schema import errors, reports


def load(more):
    return config_lib.load("test", list(more)).config


def written(root, **changes):
    """The report files of one run; the figures are those of its weight and arm."""
    reports = root / "reports"
    reports.mkdir(exist_ok=True)
    figures = {
        "recall@10": 0.2,
        "ndcg@10": 0.1,
        "negative_recall@10": 0.04,
        "negative_ndcg@10": 0.02,
        "delta_ndcg@10": 0.08,
        **changes,
    }
    files = {
        "evaluation": {"metrics": {k: {"value": v} for k, v in figures.items()}},
        "responsiveness": {
            "content.dislike": {"responsiveness": -0.5, "net_responsiveness": -0.3},
            "creator.dislike": {"responsiveness": None, "reason": "no creators"},
            "dose_response": {},
            "primary_action": "dislike",
            "persistence": {
                "events:1": {"content": {"net_responsiveness": -0.2}},
                "events:5": {"content": {"net_responsiveness": -0.1}},
            },
            "collateral": {"content": {"net_responsiveness": 0.02}},
            "kept": {"dislike": {"of_before": 0.7}, "events:5": {"of_before": 0.9}},
        },
        "training_history": [
            {"seconds": 2.0},
            {"seconds": 3.0, "avoidance_seconds": 0.5},
        ],
        "promotion": {"blessed": True, "rules": []},
    }
    for name, content in files.items():
        (reports / f"{name}.json").write_text(json.dumps(content))


def test_sweep_is_every_value_with_every_arm():
    sweep = experiment.parse_sweep(["train.negative_weight=0, 2", "train.epochs=1,3"])

    found = experiment.variants(("none", "label"), sweep, load)

    assert [v.label for v in found][:4] == [
        "none, negative_weight=0, epochs=1",
        "none, negative_weight=0, epochs=3",
        "none, negative_weight=2, epochs=1",
        "none, negative_weight=2, epochs=3",
    ]
    assert len(found) == 8
    last = found[-1].config
    assert (last.model.negative_signal, last.train.epochs) == ("label", 3)
    assert last.train.negative_weight == 2.0


@pytest.mark.parametrize("text", ["negative_weight=1", "train.epochs", "train.a=1,,2"])
def test_what_is_no_sweep_is_refused(text):
    with pytest.raises(errors.InputError, match="--sweep"):
        experiment.parse_sweep([text])


def test_all_is_every_arm_and_an_unknown_one_is_refused():
    every = ("none", "feature", "label", "feature_and_label", "drop")
    assert experiment.parse_arms("all") == every
    assert experiment.parse_arms("drop, none") == ("drop", "none")
    with pytest.raises(errors.InputError, match="'both'"):
        experiment.parse_arms("none,both")


def test_misspelt_swept_key_is_refused_before_anything_runs():
    with pytest.raises(errors.InputError, match="negative_weight"):
        experiment.variants(("none",), {"train.negativ_weight": ("1",)}, load)


def test_comparison_is_told_per_arm_and_relative_to_positives_only(tmp_path):
    """Recall .2 then .22 of `none`, .19 then .22 of `label`: ratios .95 and 1."""
    recall = {("none", 7): 0.2, ("none", 8): 0.22, ("label", 7): 0.19,
              ("label", 8): 0.22}  # fmt: skip
    ran = []

    def run(config, root):
        key = (config.model.negative_signal, config.train.seed)
        ran.append(key)
        written(tmp_path, **{"recall@10": recall[key]})

    chosen = experiment.variants(
        ("none", "label"), {}, lambda more: load(["train.seed=7", *more])
    )
    content = experiment.compare(chosen, 2, tmp_path, run)

    assert ran == list(recall)
    label = content.arms["label"]
    assert label["recall@10"].mean == pytest.approx(0.205)
    assert label["recall@10"].std == pytest.approx(0.0212132, rel=1e-5)  # .03 / sqrt(2)
    # 12.7062 is the .975 quantile of t with one degree of freedom; .03 / 2 = .015.
    assert label["recall@10"].low == pytest.approx(0.205 - 12.7062 * 0.015, rel=1e-4)
    assert label["recall@10"].high == pytest.approx(0.205 + 12.7062 * 0.015, rel=1e-4)
    ratio = label["recall@10 / none"]
    assert (ratio.mean, ratio.seeds) == (pytest.approx(0.975), 2)
    assert ratio.std == pytest.approx(0.0353553, rel=1e-5)  # .05 / sqrt(2)
    assert label["creator.dislike"] == reports.Summary(mean=None, std=None, seeds=0)
    assert label["training_sec"].mean == 5.5
    assert "recall@10 / none" not in content.arms["none"]
    table = (tmp_path / "reports" / "experiment.md").read_text()
    # .05 / 2 = .025, and 12.7062 * .025 = .3177.
    row = "| recall@10 / none | - | 0.9750 +- 0.0354 (0.6573 to 1.2927) |"
    assert row in table.splitlines()
    assert "Without a value: creator.dislike, net.creator.dislike." in table
    path = tmp_path / "reports" / "experiment.json"
    assert reports.read(path, reports.Experiment) == content


def test_arm_is_compared_with_positives_only_of_the_same_swept_value(tmp_path):
    """Recall of `none` .1 and .2 at 1 and 3 epochs, of `feature` .05 and .15."""
    recall = {("none", 1): 0.1, ("none", 3): 0.2, ("feature", 1): 0.05,
              ("feature", 3): 0.15}  # fmt: skip

    def run(config, root):
        key = (config.model.negative_signal, config.train.epochs)
        written(tmp_path, **{"recall@10": recall[key]})

    chosen = experiment.variants(
        ("none", "feature"), {"train.epochs": ("1", "3")}, load
    )
    found = experiment.compare(chosen, 1, tmp_path, run).arms

    ratios = {
        label: summary["recall@10 / none"].mean
        for label, summary in found.items()
        if label.startswith("feature")
    }
    assert ratios == {
        "feature, epochs=1": pytest.approx(0.5),
        "feature, epochs=3": pytest.approx(0.75),
    }


def test_setting_that_an_arm_does_not_read_runs_it_once(tmp_path):
    ran = []

    def run(config, root):
        ran.append((config.model.negative_signal, config.index.user_control))
        written(tmp_path, **{"recall@10": 0.2 / len(ran)})

    sweep = {"index.user_control": ("0", "2")}
    chosen = experiment.variants(("none", "feature_and_label"), sweep, load)
    found = experiment.compare(chosen, 1, tmp_path, run).arms

    default = load([]).index.user_control
    assert ran == [("none", default), *(("feature_and_label", c) for c in (0.0, 2.0))]
    assert found["none, user_control=0"] == found["none, user_control=2"]
    twice = found["feature_and_label, user_control=2"]
    assert twice["recall@10 / none"].mean == pytest.approx(1 / 3)


def test_wrong_value_is_refused_also_for_an_arm_that_does_not_read_it():
    with pytest.raises(errors.InputError, match="user_control"):
        experiment.variants(("none",), {"index.user_control": ("much",)}, load)


def test_what_broke_off_leaves_the_rows_it_has(tmp_path):
    def run(config, root):
        if config.model.negative_signal == "label":
            raise RuntimeError("killed")
        written(tmp_path)

    chosen = experiment.variants(("none", "label"), {}, load)
    with pytest.raises(RuntimeError):
        experiment.compare(chosen, 1, tmp_path, run)

    kept = json.loads((tmp_path / "reports" / "experiment.json").read_text())
    (row,) = kept["runs"]
    assert (row["arm"], row["recall@10"], row["content.dislike"]) == ("none", 0.2, -0.5)


def test_figures_are_of_before_and_of_what_is_left_five_events_later(tmp_path):
    written(tmp_path)
    figures, primary_action = experiment_figures.read(tmp_path / "reports")

    assert primary_action == "dislike"
    found = {
        name: figures[name] for name in figures if name.startswith(("net", "kept"))
    }
    assert found == {
        "net.content.dislike": -0.3,
        "net.creator.dislike": None,
        "net.content.events:5": -0.1,
        "net.collateral.content": 0.02,
        "kept.dislike": 0.7,
        "kept.events:5": 0.9,
    }


def test_interval_of_a_mean_is_students():
    """Of .1, .2 and .3 the deviation is .1; t(.975, 2) is 4.3027 in any table."""
    rows = [{"x": value} for value in (0.1, 0.3, 0.2)]
    found = experiment_figures.summarise(rows)["x"]

    reach = 4.302653 * 0.1 / 3**0.5
    assert found.low == pytest.approx(0.2 - reach, rel=1e-6)
    assert found.high == pytest.approx(0.2 + reach, rel=1e-6)


def test_one_seed_has_no_interval():
    found = experiment_figures.summarise([{"x": 0.1}, {"x": None}])["x"]

    assert found == reports.Summary(mean=0.1, std=None, seeds=1)


def test_table_names_the_curve_beside_it(tmp_path):
    summary = {
        "net.audience_nearest.dislike": reports.Summary(mean=-0.4, std=None, seeds=1),
        "recall@10": reports.Summary(mean=0.1, std=None, seeds=1),
    }
    run = reports.ExperimentRun(
        variant="none", arm="none", seed=1, primary_action="dislike"
    )
    content = reports.Experiment(runs=(run,), arms={"none": summary})

    experiment_files.write(tmp_path, content)

    assert "(experiment.svg)" in (tmp_path / "experiment.md").read_text()
    picture = ElementTree.parse(tmp_path / "experiment.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert "--ink:" in picture.find("{*}style").text
