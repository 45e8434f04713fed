import math
import re

import pytest

from pipeline.report.sections import tradeoff
from schema import reports


def row(arm, answer, recall, seed=1, **swept):
    """A row as `heed experiment` writes it, figures beside the names."""
    label = ", ".join([arm, *swept.values()])
    return {
        "variant": label,
        "arm": arm,
        "swept": swept,
        "seed": seed,
        "content.dislike": answer,
        "creator.dislike": None,
        "recall@10": recall,
    }


def curve(*rows):
    return tradeoff.arms_plot(reports.Experiment.model_validate({"runs": rows}))


def test_swept_settings_stand_beside_their_points(real_plots):
    svg = curve(
        row("none", 0.0, 0.12),
        row("feature_and_label", -0.1, 0.12, weight="0"),
        row("feature_and_label", -0.8, 0.11, weight="20"),
    )

    texts = re.findall(r">([^<>]+)</text>", svg)
    assert {"0", "20", "none", "feature_and_label", "content.dislike"} <= set(texts)
    # A similarity that was never measured has no panel.
    assert "creator.dislike" not in texts


def test_mean_and_deviation_over_seeds():
    low, high = 0.2 - math.sqrt(0.02), 0.2 + math.sqrt(0.02)
    spread = tradeoff._over_seeds([0.1, None, 0.3])
    assert spread == (pytest.approx(0.2), pytest.approx(low), pytest.approx(high))
    assert tradeoff._over_seeds([0.1]) == (0.1, 0.1, 0.1)
    assert tradeoff._over_seeds([None]) is None


def test_without_an_experiment_there_is_no_plot():
    assert tradeoff.arms_plot(None) == ""
    assert curve(row("none", None, 0.1)) == ""
