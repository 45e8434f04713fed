"""Reads files, and writes them so that no half of one is seen under its name."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

_ASIDE = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")


def write_atomically(
    path: str | os.PathLike[str],
    content: str | bytes | Iterable[Any],
    mode: int = 0o666,
) -> None:
    """Writes a file aside and renames it; a file that is there is replaced.

    Args:
      path: final name, on this machine or on a file system that Beam knows
        (`gs://bucket/file`); its folder is made.
      content: text, which is written as UTF-8; bytes; or pieces of bytes (or of what
        has the buffer protocol), which are never held together.
      mode: who may read and write it, less the umask; on this machine alone.
    """
    if isinstance(content, str):
        content = content.encode()
    with aside(path) as temporary:
        parts = [content] if isinstance(content, bytes) else content
        _write(temporary, parts, mode)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Returns what a file holds.

    Args:
      path: see `write_atomically`.

    Raises:
      FileNotFoundError: there is no such file.
    """
    name = os.fspath(path)
    if "://" not in name:
        return pathlib.Path(name).read_bytes()
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    if not FileSystems.exists(name):
        raise FileNotFoundError(name)
    with FileSystems.open(name, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return bytes(file.read())


@contextlib.contextmanager
def aside(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yields a name beside `path` to write to; what is there when done is renamed.

    After an error the final name is untouched, and what was written aside is removed.

    Args:
      path: see `write_atomically`.
    """
    folder, name = os.path.split(os.fspath(path))
    # A retried worker writes the same name: each attempt has a file of its own.
    temporary = os.path.join(folder, f".{name}.{uuid.uuid4().hex}.tmp")
    if "://" in folder:
        yield from _remote(folder, temporary, os.fspath(path))
        return
    os.makedirs(folder or ".", exist_ok=True)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        pathlib.Path(temporary).unlink(missing_ok=True)


def is_aside(name: str) -> bool:
    """Returns whether a file's name is one that `aside` made.

    Such a file is of a process that writes at this moment, or was killed.

    Example:
      >>> is_aside(".a.json.0123456789abcdef0123456789abcdef.tmp"), is_aside("a.json")
      (True, False)
    """
    return _ASIDE.fullmatch(name) is not None


def _remote(folder: str, temporary: str, path: str) -> Iterator[str]:
    # Beam takes seconds to import, and files of this machine need none of it.
    from apache_beam.io.filesystems import FileSystems

    try:
        FileSystems.mkdirs(folder)
    except OSError:
        if not FileSystems.exists(folder):
            raise
    try:
        yield temporary
        if FileSystems.exists(path):
            FileSystems.delete([path])
        FileSystems.rename([temporary], [path])
    finally:
        if FileSystems.exists(temporary):
            FileSystems.delete([temporary])


def _write(path: str, parts: Iterable[Any], mode: int) -> None:
    if "://" not in path:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(path, flags, mode), "wb") as sink:
            sink.writelines(parts)
        return
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as s:
        for part in parts:
            s.write(part)
