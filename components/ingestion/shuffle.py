"""What passes between two steps: to which bucket, and through which files.

A runner that works in memory holds, and copies several times, everything that crosses
a GroupByKey: some hundred bytes an event. With a folder to spill to, pieces are written
there, many to a file, and only their places cross. The folder must be reachable by all
workers, as the folder of the examples must; whoever made it removes it afterwards.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import uuid
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.ingestion import locations
from schema import files


def bucket_of(ids: pa.Array, num_buckets: int) -> NDArray[np.uint16]:
    """Returns the bucket of each id, [ids] uint16, from the bytes of the id alone.

    It is the same in every run, whatever the files, their order or the batches.

    Example:
      >>> bucket_of(pa.array(["u1", "u2"]), 4).tolist()
      [1, 3]
    """
    hashes = np.fromiter(
        map(zlib.crc32, ids.cast(pa.binary()).to_pylist()), np.uint32, len(ids)
    )
    # crc32 is linear: its low bits alone spread similar ids badly. Mix them.
    mixed = hashes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(32)) % np.uint64(num_buckets)).astype(np.uint16)


class Extent(NamedTuple):
    """A piece in a file."""

    path: str
    """The file."""
    begin: int
    """First byte."""
    num_bytes: int


Piece = bytes | Extent
"""Some bytes, or where they lie."""


@dataclasses.dataclass(frozen=True)
class Spill:
    """Where pieces go."""

    folder: str = ""
    """On any file system that Beam knows; "": pieces stay in memory."""

    def put(self, pieces: Sequence[bytes]) -> list[Piece]:
        """Returns the pieces, or their places in one new file."""
        if not self.folder or not pieces:
            return list(pieces)
        # A retried worker writes a file of its own; no one asks for the first again.
        path = os.path.join(self.folder, uuid.uuid4().hex)
        files.write_atomically(path, pieces)
        ends = itertools.accumulate(map(len, pieces))
        return [
            Extent(path, end - len(piece), len(piece))
            for piece, end in zip(pieces, ends, strict=True)
        ]


def get(piece: Piece) -> bytes | pa.Buffer:
    """Returns the bytes of a piece; on this machine the file itself, not a copy."""
    if isinstance(piece, bytes):
        return piece
    if locations.is_remote(piece.path):
        with locations.open_file(piece.path) as file:
            file.seek(piece.begin)
            return bytes(file.read(piece.num_bytes))
    with pa.memory_map(piece.path) as file:
        file.seek(piece.begin)
        return file.read_buffer(piece.num_bytes)
