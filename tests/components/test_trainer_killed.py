"""A training whose process is killed in the middle of it goes on exactly."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.components import tiny_pipeline

pytestmark = pytest.mark.slow

REPOSITORY = pathlib.Path(__file__).parents[2]
# The process ends itself in the second step of a place: no handler, no flush.
_TRAIN = """
import json, os, signal, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow_transform as tft
from tests.components import tiny_pipeline
from components.trainer import candidates, config, training
from components.trainer.callbacks import epoch_end
from schema import settings

given = json.loads(sys.argv[1])

class Killer(epoch_end.Finite):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        place = self._place.format(step=batch + 1, epoch=self._epoch)
        if place == given["killed_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

epoch_end.Finite = Killer
transforms = [tft.TFTransformOutput(given[n]) for n in ("transform", "catalog")]
table = candidates.read_candidate_table(
    [given["catalog_file"]], transforms[1], transforms[0],
    settings.ModelSettings(max_categories=4),
)
data = training.Data(table, None, transforms[0], [given["train"]], [given["eval"]])
settings = config.TrainerConfig.from_json(given["config"])
training.train(training.Training(data, settings, given["run"], given["state"]))
"""


def test_killed_training_goes_on_to_the_same_weights(
    train, training_data, tiny_log, tmp_path
):
    config = tiny_pipeline.trainer_config(
        query_tower="transformer",
        epochs=3,
        early_stopping_epochs=0,
        avoidance_strength=2.5,
        dislike_dropout=0.5,
    )
    whole, *_ = train("whole", config=config)
    catalog = tiny_pipeline.write_records(
        tmp_path / "catalog.gz", tiny_log.transformed_catalog
    )
    given = {
        "transform": tiny_log.transform_dir,
        "catalog": tiny_log.catalog_transform_dir,
        "catalog_file": catalog,
        "train": training_data.train_files[0],
        "eval": training_data.eval_files[0],
        "config": config.to_json(),
        "run": str(tmp_path / "killed"),
        "state": str(tmp_path / "killed-state"),
        "killed_at": "step 2 of epoch 2",
    }
    killed = subprocess.run(
        [sys.executable, "-c", _TRAIN, json.dumps(given)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    with open(os.path.join(given["state"], "history.json"), encoding="utf-8") as file:
        assert [record["epoch"] for record in json.load(file)] == [1]

    resumed, state, _ = train("killed", config=config)

    assert [record["epoch"] for record in state.history] == [1, 2, 3]
    for one, other in zip(
        [*whole.trainable_weights, *whole.avoidance.variables],
        [*resumed.trainable_weights, *resumed.avoidance.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
