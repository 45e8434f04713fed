import hashlib

from serving.bundle import manifest


def test_manifest_is_written_with_the_hash_of_each_file(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "data").write_bytes(b"weights")

    manifest.write(str(tmp_path), {"model_id": "m"})

    assert manifest.read(tmp_path) == {
        "model_id": "m",
        "sha256": {"variables/data": hashlib.sha256(b"weights").hexdigest()},
    }
    assert manifest.model_id(tmp_path) == "m"


def test_manifest_may_be_missing(tmp_path):
    assert manifest.read(str(tmp_path)) == {}
    assert manifest.model_id(str(tmp_path)) is None
