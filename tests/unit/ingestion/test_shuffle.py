"""Buckets of ids; pieces in memory and in files, and what a file holds."""

import pathlib
import pickle

import numpy as np
import pyarrow as pa

from components.ingestion import shuffle

PIECES = [b"first", b"", b"the third piece"]


def test_in_memory_pieces_pass_through():
    kept = shuffle.Spill().put(PIECES)
    assert kept == PIECES
    assert [bytes(shuffle.get(piece)) for piece in kept] == PIECES


def test_pieces_of_one_call_lie_in_one_file(tmp_path):
    folder = tmp_path / "made" / "on demand"
    kept = pickle.loads(pickle.dumps(shuffle.Spill(str(folder)).put(PIECES)))
    assert [bytes(shuffle.get(piece)) for piece in kept] == PIECES
    (file,) = folder.iterdir()
    assert file.read_bytes() == b"firstthe third piece"


def test_calls_do_not_meet(tmp_path):
    store = shuffle.Spill(str(tmp_path))
    (one,), (other,) = store.put([b"one"]), store.put([b"other"])
    assert (bytes(shuffle.get(one)), bytes(shuffle.get(other))) == (b"one", b"other")


def test_no_pieces_no_file(tmp_path):
    assert shuffle.Spill(str(tmp_path)).put([]) == []
    assert not list(tmp_path.iterdir())


def test_a_path_with_a_scheme_goes_through_the_file_systems_of_beam(
    tmp_path, monkeypatch
):
    # Beam knows no second file system here: call this machine's a remote one.
    monkeypatch.setattr(shuffle.locations, "is_remote", lambda path: True)
    pathlib.Path(tmp_path / "s").mkdir()
    kept = shuffle.Spill(str(tmp_path / "s")).put(PIECES)
    assert [shuffle.get(piece) for piece in kept] == PIECES


def test_buckets_never_change():
    # Recorded: another result would move users between the shards of two runs.
    ids = pa.array(["u1", "u2", "u3", "é", ""])
    assert shuffle.bucket_of(ids, 64).tolist() == [9, 3, 10, 59, 0]


def test_similar_ids_spread_evenly():
    for ids in (
        [f"user_{n}" for n in range(20_000)],
        [str(n * 1_000) for n in range(20_000)],
    ):
        counts = np.bincount(shuffle.bucket_of(pa.array(ids), 64), minlength=64)
        # 312 expected a bucket, standard deviation 18: six of them.
        assert counts.min() > 200
        assert counts.max() < 425
