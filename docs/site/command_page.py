"""Reference of the command line, from the commands themselves."""

from __future__ import annotations

from typing import Any

import typer

from docs.site import fields
from pipeline import cli

_HEAD = """# Commands

This page is written from the commands' own help; `heed COMMAND --help` shows the same.
Exit codes: 0 done, 1 failure, 2 bad input or config, 3 refused by the gate.
"""
_WORDS = {"Path": "path", "str": "text", "int": "whole number", "float": "number"}


def render() -> str:
    """Returns the page."""
    return "\n".join([_HEAD, *(_section(*item) for item in commands().items())])


def group() -> Any:
    """Returns `heed` itself, as click knows it."""
    return typer.main.get_command(cli.shell.app)


def commands() -> dict[str, Any]:
    """Returns each command of `heed` by name."""
    return dict(group().commands)


def _section(name: str, command: Any) -> str:
    lines = [
        f"## `heed {name}`\n",
        (command.help or "").strip() + "\n",
        fields.row("option", "takes", "default", "meaning"),
        fields.row("---", "---", "---", "---"),
    ]
    for option in command.params:
        if option.param_type_name != "option":
            continue
        kind = getattr(option.type_descriptor.annotation, "__name__", "")
        takes = "" if option.is_flag else option.metavar or _WORDS.get(kind, "text")
        default = option.default
        told = "required" if option.required else ""
        if default not in (None, False, ()) and not callable(default):
            told = f"`{default}`"
        flag = ", ".join(f"`{word}`" for word in (*option.opts, *option.secondary_opts))
        lines.append(fields.row(flag, takes, told, option.help or ""))
    return "\n".join(lines) + "\n"
