"""Reference of every config key, from the models of `schema.settings`."""

from __future__ import annotations

from collections.abc import Iterator

import pydantic

from docs.site import fields
from pipeline import config
from schema import settings

_HEAD = """# Config keys

This page is written from `schema/settings/`. A config is a TOML file;
`--set section.key=value` overrides one key. `heed print-config` shows each value and
where it came from.
"""


def render() -> str:
    """Returns the page."""
    parts = [_HEAD]
    for title, section in sections(settings.HeedConfig, ""):
        parts.append(f"## `[{title}]`\n\n{fields.says(section)}\n")
        parts.append(_keys(section) + "\n")
    return "\n".join(parts)


def sections(
    model: type[pydantic.BaseModel], prefix: str
) -> Iterator[tuple[str, type[pydantic.BaseModel]]]:
    """Yields the name and model of each table that holds keys of its own."""
    for name, field in model.model_fields.items():
        section, keyed = config.section_of(field.annotation)
        if section is None:
            continue
        title = f"{prefix}{name}.NAME" if keyed else f"{prefix}{name}"
        if own_keys(section):
            yield title, section
        yield from sections(section, f"{title}.")


def own_keys(section: type[pydantic.BaseModel]) -> list[str]:
    """Returns the keys of a table that are no tables themselves."""
    return [
        name
        for name, field in section.model_fields.items()
        if config.section_of(field.annotation)[0] is None
    ]


def _keys(section: type[pydantic.BaseModel]) -> str:
    own = {f"`{name}`" for name in own_keys(section)}
    lines = fields.table(section, with_defaults=True).splitlines()
    kept = [line for line in lines[2:] if line.split(" | ")[0].strip("| ") in own]
    return "\n".join([*lines[:2], *kept])
