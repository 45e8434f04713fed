"""Pieces in memory and in files, and what a file holds."""

import pathlib
import pickle

from components.ingestion import spill

PIECES = [b"first", b"", b"the third piece"]


def test_in_memory_pieces_pass_through():
    kept = spill.Spill().put(PIECES)
    assert kept == PIECES
    assert [bytes(spill.get(piece)) for piece in kept] == PIECES


def test_pieces_of_one_call_lie_in_one_file(tmp_path):
    folder = tmp_path / "made" / "on demand"
    kept = pickle.loads(pickle.dumps(spill.Spill(str(folder)).put(PIECES)))
    assert [bytes(spill.get(piece)) for piece in kept] == PIECES
    (file,) = folder.iterdir()
    assert file.read_bytes() == b"firstthe third piece"


def test_calls_do_not_meet(tmp_path):
    store = spill.Spill(str(tmp_path))
    (one,), (other,) = store.put([b"one"]), store.put([b"other"])
    assert (bytes(spill.get(one)), bytes(spill.get(other))) == (b"one", b"other")


def test_no_pieces_no_file(tmp_path):
    assert spill.Spill(str(tmp_path)).put([]) == []
    assert not list(tmp_path.iterdir())


def test_a_path_with_a_scheme_goes_through_the_file_systems_of_beam(
    tmp_path, monkeypatch
):
    # Beam knows no second file system here: call this machine's a remote one.
    monkeypatch.setattr(spill.locations, "is_remote", lambda path: True)
    pathlib.Path(tmp_path / "s").mkdir()
    kept = spill.Spill(str(tmp_path / "s")).put(PIECES)
    assert [spill.get(piece) for piece in kept] == PIECES
