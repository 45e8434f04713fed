import pytest

from schema import errors
from serving.bundle import versions


def push(models_dir, version):
    path = models_dir / str(version)
    path.mkdir(parents=True, exist_ok=True)
    (path / "saved_model.pb").write_bytes(b"model")


def test_only_complete_integer_directories_are_versions(tmp_path):
    push(tmp_path, 2)
    push(tmp_path, 10)
    (tmp_path / "3").mkdir()
    push(tmp_path, "4.tmp")
    push(tmp_path, "-5")
    push(tmp_path, ".incomplete-9")
    push(tmp_path, "²")
    push(tmp_path, "9223372036854775808")  # no int64, as TensorFlow Serving takes
    push(tmp_path, "9" * 200)
    (tmp_path / "6").write_text("a file")

    found = versions.list_versions(tmp_path)

    assert [v.number for v in found] == [2, 10]
    assert versions.numbers(str(tmp_path)) == [2, 10]
    assert versions.numbers(str(tmp_path / "none")) == []
    assert versions.latest_version_dir(tmp_path) == tmp_path / "10"
    assert versions.resolve(tmp_path / "2") == tmp_path / "2"


def test_folders_without_a_model_are_named(tmp_path):
    with pytest.raises(errors.InputError, match="does not exist"):
        versions.latest_version_dir(tmp_path / "none")
    (tmp_path / "data").mkdir()
    with pytest.raises(errors.InputError, match=r"holds no model.*found data"):
        versions.resolve(tmp_path)
