"""What a page tells people to type is understood by the program."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

from docs.site import command_page
from pipeline import config
from tests.unit.docs import pages

COMMANDS = pages.commands()
TARGETS = set(
    re.findall(r"^([a-z][\w-]*):", (pages.ROOT / "Makefile").read_text(), re.MULTILINE)
)


def of(program):
    found = [(page, words) for page, words in COMMANDS if words[0] == program]
    return pytest.mark.parametrize(
        ("page", "words"), found, ids=[f"{p}: {' '.join(w)}"[:90] for p, w in found]
    )


def test_the_pages_hold_commands():
    programs = [words[0] for _, words in COMMANDS]

    assert programs.count("heed") > 10
    assert {"make", "python"} <= set(programs)


@of("heed")
def test_heed_takes_it(page, words):
    """An unknown command or option, or one that lacks a value, raises."""
    known = command_page.commands()
    name, *rest = [word for word in words[1:] if word not in ("...", "[...]")]
    if not rest:
        assert name in known
        return

    context = known[name].make_context(name, rest, resilient_parsing=rest == ["--help"])

    overlay = context.params.get("config")
    is_there = overlay in config.packaged_names() or (
        overlay is not None and pathlib.Path(overlay).is_file()
    )
    sets = context.params.get("set_") or []
    config.load(overlay if is_there else None, [s for s in sets if "..." not in s])


@pytest.mark.parametrize(("page", "words"), pages.mentions())
def test_a_sentence_names_commands_and_options_that_are_there(page, words):
    program, name, *rest = words
    if program == "make":
        assert name in TARGETS
        return
    if name.startswith("-"):
        command, rest = command_page.group(), [name]
    else:
        command = command_page.commands()[name]
    options = {option for found in command.params for option in found.opts}

    assert {word for word in rest if word.startswith("--")} <= options


@of("make")
def test_make_knows_the_target(page, words):
    targets = [word for word in words[1:] if "=" not in word and word[0] not in "-$"]

    assert set(targets) <= TARGETS


@of("python")
def test_python_finds_the_module(page, words):
    module = words[words.index("-m") + 1]

    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize(
    "block",
    [block for path in pages.pages() for block in pages.blocks(path, "toml")],
    ids=lambda block: block.page,
)
def test_a_config_on_a_page_is_valid(block, tmp_path):
    overlay = tmp_path / "mine.toml"
    overlay.write_text(block.text, encoding="utf-8")

    config.load(str(overlay))
