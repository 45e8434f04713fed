"""The hand-written pages, and what stands in their code blocks."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).parents[3]
DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL
)
_INLINE = re.compile(r"`((?:\.venv\S*/bin/)?(?:heed|make) [^`]+)`")


@dataclasses.dataclass(frozen=True)
class Block:
    """One fenced block; `kind` is the word behind the fence, `title` what follows."""

    page: str
    kind: str
    title: str
    text: str


def pages() -> list[pathlib.Path]:
    """Returns all pages that people write, the records of decisions left out."""
    found = [path for path in DOCS.rglob("*.md") if "adr" not in path.parts]
    return sorted([*found, *ROOT.glob("*.md"), *ROOT.glob("benchmarks/**/*.md")])


def blocks(path: pathlib.Path, kind: str | None = None) -> list[Block]:
    """Returns the blocks of a page, of one kind if one is named."""
    found = _BLOCK.findall(path.read_text(encoding="utf-8"))
    name = str(path.relative_to(ROOT))
    return [Block(name, k, *rest) for k, *rest in found if kind in (None, k)]


def block(page: str, title: str) -> str:
    """Returns the text of the block of a page that has a title."""
    (found,) = [b.text for b in blocks(DOCS / page) if b.title == title]
    return found


def mentions() -> list[tuple[str, list[str]]]:
    """Returns (page, words) of each command that stands in a sentence."""
    found = []
    for path in pages():
        prose = _BLOCK.sub("", path.read_text(encoding="utf-8"))
        lines = [" ".join(line.split()) for line in _INLINE.findall(prose)]
        name = str(path.relative_to(ROOT))
        found += [(name, words) for line in lines for words in _commands(line)]
    return found


def commands() -> list[tuple[str, list[str]]]:
    """Returns (page, words) of each command line of a block or behind a result."""
    texts = []
    for path in pages():
        name = str(path.relative_to(ROOT))
        texts += [(name, b.text) for b in blocks(path) if b.kind in ("", "sh")]
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        texts.append((path.name, json.loads(path.read_text())["command"]))
    return [(name, words) for name, text in texts for words in _commands(text)]


def _commands(text: str) -> list[list[str]]:
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        # A crontab's five fields stand before the command.
        while words and re.fullmatch(r"[*\d/,-]+|\w+=\S+", words[0]):
            words = words[1:]
        if words and words[0].rsplit("/", 1)[-1] in ("heed", "make", "python"):
            found.append([words[0].rsplit("/", 1)[-1], *words[1:]])
    return found
