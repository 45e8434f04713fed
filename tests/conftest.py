"""Settings that must hold before TensorFlow loads, and what all tests share."""

import os

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
