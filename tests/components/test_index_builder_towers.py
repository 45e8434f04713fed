"""What the index takes from the towers, and towers that it refuses."""

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components import artifacts
from components.index_builder import build
from schema import errors, settings
from tests.components import fake_artifacts, planted_towers


@pytest.mark.parametrize("has_path", [True, False])
@pytest.mark.parametrize("user_control", [1.0, 2.0])
def test_user_control_without_a_path_is_said(caplog, has_path, user_control):
    towers = planted_towers.Towers()
    towers.has_avoidance_path.assign(has_path)
    with caplog.at_level("WARNING", logger="absl"):
        build.set_user_control(towers, user_control)
    assert float(towers.user_control) == user_control
    said = "without an avoidance path" in caplog.text
    assert said == (user_control == 2.0 and not has_path)


def test_diverged_towers_build_no_index(towers_in_memory, tmp_path):
    class Diverged(tf.Module):
        @tf.function(input_signature=[])
        def candidates(self):
            return {
                "item_id": tf.constant([b"a", b"b"]),
                "embedding": tf.constant([[1.0], [float("nan")]]),
                "count": tf.constant([1, 1], tf.int64),
            }

    tf.saved_model.save(Diverged(), str(tmp_path / "towers"))

    with pytest.raises(errors.InputError, match="1 of 2 candidate embeddings"):
        build.build_endpoint(
            str(tmp_path / "towers"),
            [],
            {},
            settings.IndexSettings(),
            {},
            str(tmp_path / "serving"),
            str(tmp_path / "exact"),
        )
    assert not (tmp_path / "serving").exists()


def test_model_tells_what_its_towers_were_trained_as(exported_towers, tmp_path):
    """Towers that were made from the Trainer's point to those; others are those."""
    trained = fake_artifacts.make(standard_artifacts.Model, exported_towers())
    assert artifacts.trained_towers_uri(trained) == exported_towers()

    refreshed = fake_artifacts.make(standard_artifacts.Model, tmp_path)
    refreshed.set_string_custom_property(artifacts.TRAINED_TOWERS_URI, "gs://trained")
    assert artifacts.trained_towers_uri(refreshed) == "gs://trained"
