"""The overlay of a search: complete, TOML, and nothing lost on the way."""

import pytest
import tomli

from pipeline import config as config_lib
from pipeline.studies import tune
from schema import errors

BEST = {"model.dropout": 0.25, "train.learning_rate": 1e-5, "train.batch_size": 64}


def resolved(*overrides):
    return config_lib.load("movielens-small", list(overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ('data.events=C:\\\\logs\\\\a "b" é.csv', "gate.similarities=[]"),
        ("feedback.actions.wow.polarity=positive", "feedback.actions.wow.weight=2.0"),
        ("train.batch_size=8", "responsiveness.control_value=none"),
    ],
)
def test_overlay_alone_gives_the_configuration_with_the_best_values(
    overrides, tmp_path
):
    before = resolved(*overrides)
    path = tmp_path / "tuned.toml"
    path.write_text(tune.overlay(before, BEST), encoding="utf-8")

    found = config_lib.load(str(path)).config

    expected = before.config.model_dump()
    expected["model"]["dropout"] = 0.25
    expected["train"] |= {"learning_rate": 1e-5, "batch_size": 64}
    assert found.model_dump() == expected


def test_overlay_holds_what_was_tuned_even_where_it_is_the_default():
    text = tune.overlay(resolved(), {"model.dropout": 0.2})

    assert tomli.loads(text)["model"]["dropout"] == 0.2


def test_output_must_be_toml(tmp_path):
    with pytest.raises(errors.InputError, match=r"--output.*\.toml"):
        tune.tune(resolved(), str(tmp_path), tmp_path / "best.json")


@pytest.mark.parametrize(
    "override",
    [
        "tuning.learning_rate=[0.1, 0.01]",
        "tuning.dropout=[0.0, 1.5]",
        "tuning.trials=0",
    ],
)
def test_ranges_that_are_none_are_refused(override):
    with pytest.raises(errors.InputError, match="tuning"):
        resolved(override)
