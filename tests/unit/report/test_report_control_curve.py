import re

import pytest

from pipeline.report import contents
from pipeline.report.charts import arms


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
    return arms.build(contents.Experiment.model_validate({"runs": rows}))


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
    assert arms._spread([0.1, None, 0.3], 100.0) == (
        20.0,
        pytest.approx(14.142135),
    )
    assert arms._spread([0.1], 1.0) == (0.1, 0.0)
    assert arms._spread([None], 1.0) is None


def test_without_an_experiment_there_is_no_plot():
    assert arms.build(None) == ""
    assert curve(row("none", None, 0.1)) == ""
