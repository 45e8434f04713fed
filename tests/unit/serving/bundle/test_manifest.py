import pytest

from schema import errors
from serving.bundle import manifest


def test_manifest_may_be_missing(tmp_path):
    assert manifest.read(str(tmp_path)) == {}
    assert manifest.model_id(str(tmp_path)) is None


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\x00"])
def test_manifest_that_is_no_json_object_is_named(tmp_path, content):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / manifest.MANIFEST_FILE).write_bytes(content)
    with pytest.raises(errors.InputError, match=r"manifest\.json: expected a JSON"):
        manifest.read(tmp_path)
