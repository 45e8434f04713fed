"""Keeps what passes between two steps in files, so that memory does not grow with it.

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
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from components.ingestion import locations


class Extent(NamedTuple):
    """A piece in a file.

    Attributes:
      path: the file.
      begin: first byte.
      num_bytes: length.
    """

    path: str
    begin: int
    num_bytes: int


Piece = bytes | Extent
"""Some bytes, or where they lie."""


@dataclasses.dataclass(frozen=True)
class Spill:
    """Where pieces go.

    Attributes:
      folder: on any file system that Beam knows; "": pieces stay in memory.
    """

    folder: str = ""

    def put(self, pieces: Sequence[bytes]) -> list[Piece]:
        """Returns the pieces, or their places in one new file."""
        if not self.folder or not pieces:
            return list(pieces)
        # A retried worker writes a file of its own; no one asks for the first again.
        path = os.path.join(self.folder, uuid.uuid4().hex)
        with _create(path) as sink:
            for piece in pieces:
                sink.write(piece)
        ends = itertools.accumulate(map(len, pieces))
        return [
            Extent(path, end - len(piece), len(piece))
            for piece, end in zip(pieces, ends, strict=True)
        ]


def _create(path: str):  # type: ignore[no-untyped-def]
    if locations.is_remote(path):
        from apache_beam.io import filesystem, filesystems

        return filesystems.FileSystems.create(
            path, compression_type=filesystem.CompressionTypes.UNCOMPRESSED
        )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return open(path, "wb")


def get(piece: Piece) -> bytes | pa.Buffer:
    """Returns the bytes of a piece; on this machine the file itself, not a copy."""
    if isinstance(piece, bytes):
        return piece
    if not locations.is_remote(piece.path):
        with pa.memory_map(piece.path) as file:
            file.seek(piece.begin)
            return file.read_buffer(piece.num_bytes)
    from apache_beam.io import filesystem, filesystems

    with filesystems.FileSystems.open(
        piece.path, compression_type=filesystem.CompressionTypes.UNCOMPRESSED
    ) as file:
        file.seek(piece.begin)
        return file.read(piece.num_bytes)
