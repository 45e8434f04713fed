"""Resolves a path, glob, directory or `{SPAN}` pattern to data files.

The same text is split into the base folder and the pattern that the TFX driver wants,
and turned into files for the cheap checks before a run.
"""

from __future__ import annotations

import dataclasses
import glob
import os
import re
from collections.abc import Iterable

from components.ingestion import spans
from schema import errors

CSV, JSON_LINES, PARQUET = "csv", "jsonl", "parquet"
_SUFFIXES = {
    ".csv": CSV,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".json": JSON_LINES,
    ".parquet": PARQUET,
    ".pq": PARQUET,
}
_COMPRESSED = (".gz",)
_MAGIC = re.compile(r"[*?\[]|\{")


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """One file of a log.

    Attributes:
      index: position among the files of the source, by path.
      path: where it lies.
      format: `csv`, `jsonl` or `parquet`.
      compressed: whether it is a gzip file.
    """

    index: int
    path: str
    format: str
    compressed: bool


def is_remote(path: str) -> bool:
    """Returns whether the path names another file system, as in `gs://`."""
    return "://" in path


def has_spec(pattern: str) -> bool:
    """Returns whether a pattern still holds `{SPAN}` or another spec of TFX."""
    return bool(spans.SPEC.search(pattern))


def split_location(location: str) -> tuple[str, str]:
    """Returns the base folder and the pattern below it.

    The base is the longest leading part without wildcards and specs, so that moving
    between files of one folder changes the pattern alone.

    Example:
      >>> split_location("logs/span-{SPAN}/*.parquet")
      ('logs', 'span-{SPAN}/*.parquet')
    """
    if not is_remote(location):
        location = os.path.abspath(location)
        if os.path.isdir(location):
            return location, "*"
    base, pattern = os.path.split(location.rstrip("/"))
    while _MAGIC.search(base):
        base, head = os.path.split(base)
        pattern = f"{head}/{pattern}"
    return base, pattern


def file_format(path: str) -> tuple[str, bool]:
    """Returns the format of a file by its name, and whether it is compressed.

    Raises:
      InputError: the suffix is none of the known ones.
    """
    name = os.path.basename(path).lower()
    root, suffix = os.path.splitext(name)
    compressed = suffix in _COMPRESSED
    if compressed:
        suffix = os.path.splitext(root)[1]
    known = _SUFFIXES.get(suffix)
    if known is None or (compressed and known == PARQUET):
        raise errors.InputError(
            f"{path}: expected a file named *.parquet, *.csv, *.csv.gz, *.jsonl or "
            f"*.jsonl.gz; rename it, or narrow the pattern so that it is left out."
        )
    return known, compressed


def source_files(paths: Iterable[str], location: str, key: str) -> list[SourceFile]:
    """Returns the data files among the paths, ordered by path.

    Names that start with `.` or `_` (`_SUCCESS` and the like) are markers, not data.

    Args:
      paths: what the pattern matched.
      location: the pattern as the user wrote it, for messages.
      key: the setting that holds it, for messages.

    Raises:
      InputError: no data file is left, or one has an unknown format.
    """
    data = sorted(p for p in paths if not os.path.basename(p).startswith((".", "_")))
    if not data:
        raise errors.InputError(
            f"`{key}` = {location!r} matches no file; expected a path, a glob, a "
            f"folder or a {{SPAN}} pattern of Parquet, CSV or JSON Lines files."
        )
    return [SourceFile(i, path, *file_format(path)) for i, path in enumerate(data)]


def local_files(location: str, key: str) -> list[SourceFile]:
    """Returns the files that a location on this machine names now.

    A spec such as `{SPAN}` matches anything here; the driver picks the newest span.

    Raises:
      InputError: the location is empty, matches nothing, or holds unknown formats.
    """
    if not location:
        raise errors.InputError(
            f"`{key}` is empty; set it to a path, a glob, a folder or a {{SPAN}} "
            f"pattern of Parquet, CSV or JSON Lines files."
        )
    base, pattern = split_location(location)
    matched = glob.glob(os.path.join(glob.escape(base), spans.any_span(pattern)))
    files = [path for path in matched if os.path.isfile(path)]
    return source_files(files, location, key)
