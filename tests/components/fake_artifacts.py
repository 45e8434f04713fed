"""TFX artifacts with folders of their own, and what to expect of blessings."""

import json
import os

from tfx.types import artifact_utils, standard_artifacts


def make(artifact_type, uri, split_names=(), artifact_id=1):
    """An artifact in an existing folder, as an executor gets it."""
    artifact = artifact_type()
    artifact.uri = str(uri)
    artifact.id = artifact_id
    if split_names:
        artifact.split_names = artifact_utils.encode_split_names(list(split_names))
    os.makedirs(artifact.uri, exist_ok=True)
    return artifact


def examples(root, splits):
    """Examples whose splits hold the given gzip TFRecord files.

    Args:
      root: folder of the artifact.
      splits: split name to the records in it (serialised bytes).
    """
    import tensorflow as tf

    options = tf.io.TFRecordOptions(compression_type="GZIP")
    for name, records in splits.items():
        folder = os.path.join(str(root), f"Split-{name}")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "part-00000.gz")
        with tf.io.TFRecordWriter(path, options) as writer:
            for record in records:
                writer.write(record)
    return make(standard_artifacts.Examples, root, splits)


def write_json(artifact, name, content):
    """Puts a report into an artifact's folder."""
    with open(os.path.join(artifact.uri, name), "w", encoding="utf-8") as file:
        json.dump(content, file)


def read_json(artifact, name):
    """Returns a report from an artifact's folder."""
    with open(os.path.join(artifact.uri, name), encoding="utf-8") as file:
        return json.load(file)


def assert_blessed(blessing, prefix=""):
    """Marker file and property must say the same."""
    assert blessing.get_int_custom_property("blessed") == 1
    assert os.path.exists(os.path.join(blessing.uri, f"{prefix}BLESSED"))
    assert not os.path.exists(os.path.join(blessing.uri, f"{prefix}NOT_BLESSED"))


def assert_refused(blessing, prefix=""):
    """Marker file and property must say the same."""
    assert blessing.get_int_custom_property("blessed") == 0
    assert os.path.exists(os.path.join(blessing.uri, f"{prefix}NOT_BLESSED"))
    assert not os.path.exists(os.path.join(blessing.uri, f"{prefix}BLESSED"))
