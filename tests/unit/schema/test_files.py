"""Files are seen whole or not at all."""

import io
import os

import pytest
from apache_beam.io import filesystems

from schema import files


@pytest.mark.parametrize(
    "content",
    ["éz", b"\xc3\xa9z", [b"\xc3", memoryview(b"\xa9z")], iter([b"\xc3\xa9", b"z"])],
    ids=["text", "bytes", "pieces", "iterator"],
)
def test_content_of_each_kind_is_written_as_utf8(tmp_path, content):
    path = tmp_path / "folder" / "a.json"
    files.write_atomically(path, content)
    assert path.read_bytes() == b"\xc3\xa9z"


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    files.write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_error_half_way_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def write_half():
        with files.aside(path) as temporary:
            with open(temporary, "w", encoding="utf-8") as file:
                file.write("half")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write_half()
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


class _Store:
    """A remote file system of one flat dictionary, in place of Beam's."""

    def __init__(self):
        self.content = {}

    def create(self, path, compression_type):
        content = self.content

        class Sink(io.BytesIO):
            def close(self):
                content[path] = self.getvalue()
                super().close()

        return Sink()

    def open(self, path, compression_type):
        return io.BytesIO(self.content[path])

    def exists(self, path):
        return path in self.content

    def mkdirs(self, path):
        raise OSError("a bucket has no folders")

    def delete(self, paths):
        for path in paths:
            del self.content[path]

    def rename(self, sources, targets):
        for source, target in zip(sources, targets, strict=True):
            assert target not in self.content
            self.content[target] = self.content.pop(source)


@pytest.fixture
def store(monkeypatch):
    store = _Store()
    store.content = {"mem://bucket": b"", "mem://bucket/a": b"old"}
    for name in ("create", "open", "exists", "mkdirs", "delete", "rename"):
        monkeypatch.setattr(filesystems.FileSystems, name, getattr(store, name))
    return store


def test_a_remote_file_is_renamed_over_the_old_one(store):
    files.write_atomically("mem://bucket/a", [b"n", b"ew"])
    assert store.content == {"mem://bucket": b"", "mem://bucket/a": b"new"}


@pytest.mark.parametrize("folder", ["", "mem://bucket"])
def test_a_file_is_read_or_missing_here_and_remote(tmp_path, store, folder):
    (tmp_path / "a").write_bytes(b"old")
    folder = folder or tmp_path

    assert files.read_bytes(f"{folder}/a") == b"old"
    with pytest.raises(FileNotFoundError):
        files.read_bytes(f"{folder}/b")


def test_private_file_is_readable_by_its_owner_alone(tmp_path):
    files.write_atomically(tmp_path / "users.bin", b"u1", mode=0o600)
    files.write_atomically(tmp_path / "plain.bin", b"x")
    assert (tmp_path / "users.bin").stat().st_mode & 0o777 == 0o600
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "plain.bin").stat().st_mode & 0o777 == 0o666 & ~umask
