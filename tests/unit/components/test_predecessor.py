"""Which of the models on disk a new one is compared with."""

import shutil

import pytest

from components import predecessor
from serving.bundle import integrity


def write(folder):
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(str(folder).encode())
    integrity.write_manifest(str(folder), {})
    return str(folder)


@pytest.fixture
def served(tmp_path):
    for version in ("99", "100"):
        write(tmp_path / "served" / version)
    return str(tmp_path / "served")


def test_the_last_blessed_model_comes_first(tmp_path, served):
    blessed = write(tmp_path / "blessed")

    assert predecessor.find(blessed, served) == blessed
    assert predecessor.find(blessed, "") == blessed


def test_what_is_served_stands_for_lost_metadata(served):
    assert predecessor.find(None, served) == f"{served}/100"


@pytest.mark.parametrize("gone", [True, False])
def test_what_is_served_stands_for_a_blessed_model_that_is_gone_or_damaged(
    tmp_path, served, gone
):
    blessed = write(tmp_path / "blessed")
    if gone:
        shutil.rmtree(blessed)
    else:
        (tmp_path / "blessed" / "saved_model.pb").write_bytes(b"noise")

    assert predecessor.find(blessed, served) == f"{served}/100"
    # With nothing else to compare with, the loader says what is wrong.
    assert predecessor.find(blessed, str(tmp_path / "none")) == blessed


def test_the_first_model_has_no_predecessor(tmp_path):
    assert predecessor.find(None, None) is None
    assert predecessor.find(None, "") is None
    assert predecessor.find(None, str(tmp_path / "none")) is None
