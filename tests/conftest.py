"""Settings that must hold before TensorFlow loads, and what all tests share."""

import os
import pathlib
import sys

# pytest puts this folder on the path, where `components` and `pipeline` are folders of
# tests. A package wins over a folder, but only where it is on the path as well.
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

# TFRS refuses Keras 3, and the choice is made when TensorFlow loads.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis
import numpy as np
import pytest

# A test that fails must fail again: examples are derived from the test, not the clock.
hypothesis.settings.register_profile("heed", deadline=None, derandomize=True)
hypothesis.settings.load_profile("heed")


@pytest.fixture
def rng():
    return np.random.default_rng(20230918)
