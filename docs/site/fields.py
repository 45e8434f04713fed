"""What a pydantic model says of its fields, as a Markdown table."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import pathlib
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import pydantic

_WORDS = {"number": "number", "integer": "whole number", "boolean": "true or false"}
_BOUNDS = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "above"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "below"),
)


def docstrings(model: type[pydantic.BaseModel]) -> dict[str, str]:
    """Returns the text below each field of a model, its base classes' included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not issubclass(base, pydantic.BaseModel) or base is pydantic.BaseModel:
            continue
        source = textwrap.dedent(inspect.getsource(base))
        definition = ast.parse(source).body[0]
        assert isinstance(definition, ast.ClassDef)  # noqa: S101
        body = definition.body
        for field, below in itertools.pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(str(below.value.value).split())
    return found


def kind(schema: Mapping[str, Any]) -> str:
    """Returns the type of a field in words, from its part of a JSON schema."""
    if "anyOf" in schema:
        kinds = [kind(option) for option in schema["anyOf"]]
        return " or ".join(dict.fromkeys(kinds))
    if "allOf" in schema:
        return kind(schema["allOf"][0])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return "[" + ", ".join(kind(item) for item in schema["prefixItems"]) + "]"
        return f"list of {kind(schema.get('items', {}))}"
    if schema.get("type") == "object":
        value = schema.get("additionalProperties")
        return f"name to {kind(value)}" if isinstance(value, dict) else "table"
    name = schema.get("type", "any value")
    if "minimum" in schema and "maximum" in schema:
        return f"{_WORDS[name]}, {schema['minimum']:g} to {schema['maximum']:g}"
    bounds = [f"{word} {schema[key]:g}" for key, word in _BOUNDS if key in schema]
    return " ".join([_WORDS.get(name, "none" if name == "null" else name), *bounds])


def row(*cells: str) -> str:
    """Returns a line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table(model: type[pydantic.BaseModel], with_defaults: bool) -> str:
    """Returns the table of a model's fields: name, type, default, meaning."""
    schema = model.model_json_schema()
    told = docstrings(model)
    head = ["key", "type", "default", "meaning"] if with_defaults else []
    head = head or ["key", "type", "meaning"]
    lines = [row(*head), row(*("---" for _ in head))]
    for name, part in schema.get("properties", {}).items():
        cells = [f"`{name}`", kind(part)]
        if with_defaults:
            default = part.get("default")
            cells.append("" if default is None else f"`{json.dumps(default)}`")
        lines.append(row(*cells, told.get(name, "")))
    return "\n".join(lines)


def linked(text: str, docs: pathlib.Path) -> str:
    """Returns a text in which `docs/adr/0048` is a link, for a page of reference/.

    Args:
      text: Markdown.
      docs: the folder of the pages.
    """

    def link(found: re.Match[str]) -> str:
        (record,) = docs.glob(f"adr/{found[1]}-*.md")
        return f"[decision {int(found[1])}](../adr/{record.name})"

    return re.sub(r"docs/adr/(\d{4})\b", link, text)


def says(model: type[pydantic.BaseModel]) -> str:
    """Returns the docstring of a model, as paragraphs."""
    return inspect.cleandoc(model.__doc__ or "")
