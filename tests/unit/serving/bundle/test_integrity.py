"""A model's files against the digests in its manifest."""

import hashlib
import json
import re

import pytest

from serving.bundle import integrity, manifest


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "1"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.data").write_bytes(b"weights")
    integrity.write_manifest(str(folder), {"model_id": "m"})
    return folder


def of(content):
    return hashlib.sha256(content).hexdigest()


def test_manifest_is_written_with_the_digest_of_each_file(model):
    described = manifest.read(model)

    assert described["model_id"] == manifest.model_id(model) == "m"
    assert described["sha256"] == {
        "saved_model.pb": of(b"graph"),
        "variables/variables.data": of(b"weights"),
    }


def test_digest_of_a_model_is_that_of_its_manifest(model):
    written = (model / manifest.MANIFEST_FILE).read_bytes()

    assert integrity.check(model) == integrity.require(model) == of(written)


def test_what_people_lay_beside_the_manifest_changes_nothing(model):
    before = integrity.check(model)
    (model / "assets.extra" / "manifest.sig").write_bytes(b"signature")
    (model / ".nfs0001").write_bytes(b"of the file system")

    assert integrity.check(model) == before


def refused(model, file, difference):
    message = re.escape(f"{model / file} is not the file that was exported: ")
    return pytest.raises(integrity.DamagedModelError, match=message + difference)


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.data"])
def test_one_flipped_bit_is_named_with_both_digests(model, file):
    content = (model / file).read_bytes()
    flipped = bytes([content[0] ^ 1]) + content[1:]
    (model / file).write_bytes(flipped)

    wanted = rf"expected SHA-256 {of(content)}; got {of(flipped)}\. .*copy the whole"
    with refused(model, file, wanted):
        integrity.check(model)


def test_missing_file_is_named(model):
    (model / "variables" / "variables.data").unlink()

    wanted = rf"expected SHA-256 {of(b'weights')}; it is missing"
    with refused(model, "variables/variables.data", wanted):
        integrity.check(model)


def test_file_of_another_model_is_named(model):
    (model / "variables" / "variables.data-1").write_bytes(b"more")

    with refused(model, "variables/variables.data-1", "expected no such file"):
        integrity.check(model)


@pytest.mark.parametrize(
    "change", [{"model_id": "n"}, {"history": 1}, {"sha256": {}}, {"sha256": None}]
)
def test_edited_manifest_is_named(model, change):
    path = model / manifest.MANIFEST_FILE
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, **change}))

    with refused(model, manifest.MANIFEST_FILE, "expected"):
        integrity.require(model)


def test_manifest_of_before_that_tells_no_digest_of_itself_is_believed(model):
    path = model / manifest.MANIFEST_FILE
    described = json.loads(path.read_text())
    del described["manifest_sha256"]
    path.write_text(json.dumps(described))

    assert integrity.check(model) == of(path.read_bytes())


def test_model_without_digests_is_told_apart_from_a_damaged_one(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"graph")

    assert integrity.check(tmp_path) is None
    with refused(tmp_path, manifest.MANIFEST_FILE, "expected `sha256`"):
        integrity.require(tmp_path)
