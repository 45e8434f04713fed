"""The users of whom nothing is learnt: measured, and read by nothing else."""

import copy
import dataclasses
import json

import pytest

from tests.components.responsiveness.effects import all_effects


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


@pytest.mark.parametrize(
    ("users", "words"), [(0, "0 users judge"), (5, "5 users judge")]
)
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
