"""Resolves a path, glob, directory or `{SPAN}` pattern to data files.

The same text is split into the base folder and the pattern that the TFX driver wants,
and turned into files for the cheap checks before a run. TFX resolves one span a run,
the newest. A window is that one and the newest ones before it; spans that do not exist
are not waited for.
"""

from __future__ import annotations

import dataclasses
import datetime
import glob
import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa

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
_SPEC = re.compile(r"\{(?P<name>SPAN|VERSION)(?::(?P<width>\d+))?\}|\{(?:YYYY|MM|DD)\}")
_EPOCH = datetime.date(1970, 1, 1)


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """One file of a log."""

    index: int
    """Position among the files of the source, by path."""
    path: str
    """Where it lies."""
    format: str
    """`csv`, `jsonl` or `parquet`."""
    compressed: bool
    """Whether it is a gzip file."""


def is_remote(path: str) -> bool:
    """Returns whether the path names another file system, as in `gs://`."""
    return "://" in path


def open_file(path: str) -> Any:
    """Opens a file for reading bytes, on this machine or elsewhere."""
    if not is_remote(path):
        return pa.OSFile(path)
    from apache_beam.io import filesystem, filesystems

    return filesystems.FileSystems.open(
        path, compression_type=filesystem.CompressionTypes.UNCOMPRESSED
    )


def has_spec(pattern: str) -> bool:
    """Returns whether a pattern still holds `{SPAN}` or another spec of TFX."""
    return bool(_SPEC.search(pattern))


def split_location(location: str) -> tuple[str, str]:
    """Returns the base folder and the pattern below it.

    The base is the longest leading part without wildcards and specs, so that moving
    between files of one folder changes the pattern alone. What exists is no pattern,
    whatever characters its name has.

    Example:
      >>> split_location("/logs/span-{SPAN}/*.parquet")
      ('/logs', 'span-{SPAN}/*.parquet')

    Raises:
      InputError: a spec below a folder of which TFX would make a pattern.
    """
    if not is_remote(location):
        location = os.path.abspath(location)
        if os.path.isdir(location):
            return location, "*"
        if os.path.exists(location):
            base, name = os.path.split(location)
            return base, glob.escape(name)
    base, pattern = os.path.split(location.rstrip("/"))
    while _MAGIC.search(base) and not os.path.isdir(base):
        base, head = os.path.split(base)
        pattern = f"{head}/{pattern}"
    if has_spec(pattern) and re.search(r"[*?]", base):
        raise errors.InputError(
            f"{base} is a folder with `*` or `?` in its name, below which TFX finds no "
            f"{{SPAN}}; rename it."
        )
    return base, pattern


def unescaped(base: str) -> str:
    """Returns a folder from the glob that means it alone.

    Example:
      >>> unescaped(glob.escape("/logs [2024]"))
      '/logs [2024]'
    """
    return re.sub(r"\[([*?[])\]", r"\1", base)


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
            f"folder or a {{SPAN}} pattern of Parquet, CSV or JSON Lines files. "
            f"Folders within are not looked into, and `**` is one folder: give each "
            f"level a `*`, as in `logs/*/*.parquet`. A column that only the name of a "
            f"folder holds, as in `date=2024-01-01/`, is not read."
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
    matched = glob.glob(os.path.join(glob.escape(base), any_span(pattern)))
    files = [path for path in matched if os.path.isfile(path)]
    return source_files(files, location, key)


class Span(NamedTuple):
    """One span that exists."""

    number: int
    """The span's number; of a date the days since 1970-01-01."""
    pattern: str
    """The pattern with this span, and its newest version, filled in."""


def any_span(pattern: str) -> str:
    """Returns a glob that matches every span.

    Example:
      >>> any_span("span-{SPAN:3}/*.csv")
      'span-*/*.csv'
    """
    return _SPEC.sub("*", pattern)


def newest_spans(
    paths: Iterable[str], pattern: str, up_to: int, num_spans: int
) -> list[Span]:
    """Returns the newest spans that do not lie after `up_to`, oldest first.

    Args:
      paths: what `any_span` matched, relative to where the pattern begins.
      pattern: with `{SPAN}` or dates, perhaps with `{VERSION}`.
      up_to: number of the last span.
      num_spans: most spans.
    """
    expression = re.compile(_expression(pattern))
    found: dict[int, tuple[int, str]] = {}
    for path in paths:
        matched = expression.fullmatch(path)
        number = _number(matched.groupdict()) if matched else None
        if matched is None or number is None or number > up_to:
            continue
        texts = matched.groupdict()
        version = int(texts.get("VERSION") or 0)
        filled = _SPEC.sub(lambda spec: texts[_group(spec)], pattern)  # noqa: B023
        found[number] = max(found.get(number, (-1, "")), (version, filled))
    return [Span(number, found[number][1]) for number in sorted(found)[-num_spans:]]


def _group(spec: re.Match[str]) -> str:
    return spec["name"] or spec[0].strip("{}")


def _expression(pattern: str) -> str:
    """Returns a regular expression of the glob, with a group for each spec."""
    result, at = "", 0
    for spec in _SPEC.finditer(pattern):
        width = spec["width"] or {"YYYY": 4, "MM": 2, "DD": 2}.get(_group(spec))
        digits = rf"\d{{{width}}}" if width else r"\d+"
        result += f"{_glob(pattern[at : spec.start()])}(?P<{_group(spec)}>{digits})"
        at = spec.end()
    return result + _glob(pattern[at:])


def _glob(text: str) -> str:
    special = {"*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\[[^\]]+\]|[*?])", text)
    return "".join(
        special.get(part, part if part.startswith("[") else re.escape(part))
        for part in parts
    )


def _number(texts: dict[str, str]) -> int | None:
    if "SPAN" in texts:
        return int(texts["SPAN"])
    try:
        date = datetime.date(int(texts["YYYY"]), int(texts["MM"]), int(texts["DD"]))
    except ValueError:
        return None  # digits that are no date
    return (date - _EPOCH).days
