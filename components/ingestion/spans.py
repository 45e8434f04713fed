"""Finds the spans of a `{SPAN}` or date pattern, and those of a rolling window.

TFX resolves one span a run, the newest. A window is that one and the newest ones
before it; spans that do not exist are not waited for.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import NamedTuple

SPEC = re.compile(r"\{(?P<name>SPAN|VERSION)(?::(?P<width>\d+))?\}|\{(?:YYYY|MM|DD)\}")
_EPOCH = datetime.date(1970, 1, 1)
_WINDOW = re.compile(r"window-(\d+)")
_SPAN = re.compile(r"span-(\d+)")


class Span(NamedTuple):
    """One span that exists.

    Attributes:
      number: the span's number; of a date the days since 1970-01-01.
      pattern: the pattern with this span, and its newest version, filled in.
    """

    number: int
    pattern: str


def window_name(num_spans: int) -> str:
    """Returns the name of an input split that stands for so many newest spans."""
    return f"window-{num_spans}"


def window_of_name(name: str) -> int:
    """Returns what `window_name` was given; 1 for any other name."""
    matched = _WINDOW.fullmatch(name)
    return int(matched[1]) if matched else 1


def span_name(number: int) -> str:
    """Returns the name of an input split that stands for one span."""
    return f"span-{number}"


def span_of_name(name: str) -> int | None:
    """Returns what `span_name` was given; None for any other name."""
    matched = _SPAN.fullmatch(name)
    return int(matched[1]) if matched else None


def any_span(pattern: str) -> str:
    """Returns a glob that matches every span.

    Example:
      >>> any_span("span-{SPAN:3}/*.csv")
      'span-*/*.csv'
    """
    return SPEC.sub("*", pattern)


def newest(
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
        filled = SPEC.sub(lambda spec: texts[_group(spec)], pattern)  # noqa: B023
        found[number] = max(found.get(number, (-1, "")), (version, filled))
    return [Span(number, found[number][1]) for number in sorted(found)[-num_spans:]]


def _group(spec: re.Match[str]) -> str:
    return spec["name"] or spec[0].strip("{}")


def _expression(pattern: str) -> str:
    """Returns a regular expression of the glob, with a group for each spec."""
    result, at = "", 0
    for spec in SPEC.finditer(pattern):
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
