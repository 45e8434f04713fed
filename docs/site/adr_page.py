"""The list of decision records, from their first lines.

A record begins with its title, then a line such as

    Status: accepted, 2026-11-24
    Status: superseded by [48](0048-graded-avoidance.md), 2026-11-24
"""

from __future__ import annotations

import pathlib
import re

from docs.site import fields

_HEAD = """# Decisions

A decision that changed got a new number; the record of before says which. What was
tried and dropped stands in its record.
"""
_TITLE = re.compile(r"^# (?:ADR )?0*(\d+)[.:]? (.+)$", re.MULTILINE)
_STATUS = re.compile(r"^Status: (.+?), (\d{4}-\d{2}-\d{2})\b", re.MULTILINE)


def render(folder: pathlib.Path) -> str:
    """Returns the page of all records of a folder, by number."""
    lines = [fields.row("", "decision", "status", "date"), fields.row(*["---"] * 4)]
    for path in sorted(folder.glob("[0-9]*.md")):
        number, title, status, date = read(path)
        lines.append(fields.row(number, f"[{title}]({path.name})", status, date))
    return "\n".join([_HEAD, *lines, ""])


def read(path: pathlib.Path) -> tuple[str, str, str, str]:
    """Returns number, title, status and date of a record.

    Raises:
      ValueError: it lacks its title or its status.
    """
    text = path.read_text(encoding="utf-8")
    title, status = _TITLE.search(text), _STATUS.search(text)
    if title is None or status is None:
        raise ValueError(
            f"{path.name} must begin with `# NUMBER. Title` and hold a line "
            f"`Status: accepted, YYYY-MM-DD`; got {text[:120]!r}"
        )
    return title[1], title[2], status[1], status[2]
