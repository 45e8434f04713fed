"""Writes files so that no half-written one is ever seen under its final name."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.io import filesystem, filesystems

NO_FILE = -1
"""Key of dead letters that belong to no single file."""


def write_atomically(path: str, parts: Iterable[Any]) -> None:
    """Writes a file aside and renames it; a file that is there is replaced.

    Args:
      path: final name, on any file system that Beam knows; its folder is made.
      parts: the content in pieces: bytes, or what has the buffer protocol.
    """
    folder, name = os.path.split(path)
    files = filesystems.FileSystems
    try:
        files.mkdirs(folder)
    except OSError:
        if not files.exists(folder):
            raise
    # A retried worker writes the same name: each attempt has a file of its own.
    aside = files.join(folder, f".{name}.{uuid.uuid4().hex}.tmp")
    with files.create(
        aside, compression_type=filesystem.CompressionTypes.UNCOMPRESSED
    ) as sink:
        for part in parts:
            sink.write(part)
    if "://" not in path:
        os.replace(aside, path)
        return
    if files.exists(path):
        files.delete([path])
    files.rename([aside], [path])


class WriteLetters(beam.PTransform):
    """Writes dead letters: `rejected-00000.jsonl.gz` for the first file, and so on.

    Takes (file index, (position, gzip member)); members are joined by position.
    """

    def __init__(self, report_dir: str, name_without_file: str):
        """Keeps the folder, and the name for rows of the key `NO_FILE`."""
        super().__init__()
        self._report_dir = report_dir
        self._name_without_file = name_without_file

    def expand(self, letters: beam.PCollection) -> beam.PCollection:
        """Returns nothing of use."""
        return (
            letters
            | "GroupByFile" >> beam.GroupByKey()
            | "Write" >> beam.Map(self._write)
        )

    def _write(self, element: tuple[int, Iterable[tuple[int, bytes]]]) -> None:
        file, members = element
        name = self._name_without_file if file == NO_FILE else f"{file:05d}"
        path = f"{self._report_dir}/rejected-{name}.jsonl.gz"
        write_atomically(path, [member for _, member in sorted(members)])
