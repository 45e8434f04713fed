"""Loads the configuration: defaults, one overlay, `--set`.

It remembers where each value came from.

Everything is validated here, before any heavy import: a mistyped key costs a second.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib.resources
import pathlib
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import pydantic
import tomli

from schema import credentials, errors, settings

DEFAULT_ORIGIN = "default"
_CONFIG_PACKAGE = "pipeline.configs"


@dataclasses.dataclass(frozen=True)
class ResolvedConfig:
    """A valid configuration, and where each of its values came from."""

    config: settings.HeedConfig
    origin: dict[str, str]
    """Dotted key to `default`, a config's name, or `--set`."""


def packaged_names() -> list[str]:
    """Returns the names that `--config` finds, sorted."""
    folder = importlib.resources.files(_CONFIG_PACKAGE)
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def load(
    name_or_path: str | None,
    overrides: Sequence[str] = (),
    reads: Sequence[str] | None = None,
) -> ResolvedConfig:
    """Returns the resolved configuration.

    Args:
      name_or_path: a packaged name such as `movielens-small`, or a path to a TOML
        file; None: the defaults alone.
      overrides: `section.key=value` texts; values are TOML, bare words are strings.
      reads: sections and dotted keys that the caller makes use of; None: all. A file
        serves several commands and may hold more; an override is meant for one.

    Raises:
      InputError: a file is missing or no TOML, a key is unknown, a value invalid, or
        an override would have no effect.
    """
    values = settings.HeedConfig().model_dump(mode="json")
    origin = {key: DEFAULT_ORIGIN for key, _ in flatten(values)}
    if name_or_path is not None:
        text, label = _read(name_or_path)
        try:
            overlay = tomli.loads(text)
        except tomli.TOMLDecodeError as error:
            raise errors.InputError(f"{label} is not valid TOML: {error}") from error
        for key, value in flatten(overlay):
            _refuse_credentials(key, value)
        _merge(values, overlay, settings.HeedConfig, label, origin, "")
    for override in overrides:
        _refuse_credentials(override.partition("=")[0], override)
        key, value = _parse_override(override)
        nested: Any = value
        for part in reversed(key.split(".")):
            nested = {part: nested}
        _merge(values, nested, settings.HeedConfig, f"--set {override}", origin, "")
    try:
        config = settings.HeedConfig.model_validate(values)
    except pydantic.ValidationError as error:
        raise errors.InputError(_describe(error, origin)) from error
    if reads is not None:
        _refuse_without_effect(overrides, reads)
    return ResolvedConfig(config, dict(sorted(origin.items())))


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields (dotted key, value) of all leaves; an empty table is a leaf."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _refuse_credentials(key: str, value: object) -> None:
    """Raises `InputError` before anything repeats what it must not."""
    text = str(value)
    if credentials.are_in(text):
        raise errors.InputError(
            f"`{key}` holds credentials: {credentials.redacted(text)}; settings enter "
            "logs, reports and metadata. Leave them out of the address, and give them "
            "to the process by its environment (AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS)"
        )


def _read(name_or_path: str) -> tuple[str, str]:
    path = pathlib.Path(name_or_path)
    if path.suffix == ".toml" or path.is_file():
        try:
            return path.read_text(encoding="utf-8"), str(path)
        except OSError as error:
            raise errors.InputError(
                f"config {name_or_path!r} cannot be read: {error.strerror}"
            ) from error
    packaged = importlib.resources.files(_CONFIG_PACKAGE) / f"{name_or_path}.toml"
    if not packaged.is_file():
        raise errors.InputError(
            f"no config {name_or_path!r}: packaged are {', '.join(packaged_names())}; "
            "or give the path of a .toml file"
        )
    return packaged.read_text(encoding="utf-8"), f"{name_or_path}.toml"


def _parse_override(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    key = key.strip()
    if not equals or not key or not all(key.split(".")):
        raise errors.InputError(f"`--set` takes section.key=value; got {override!r}")
    try:
        value = tomli.loads(f"value = {text}")["value"]
    except tomli.TOMLDecodeError:
        return key, text
    # A bare date or time is text here: no key holds one.
    plain = (str, int, float, bool, list, dict)
    return key, value if isinstance(value, plain) else text


def _refuse_without_effect(overrides: Sequence[str], reads: Sequence[str]) -> None:
    for override in overrides:
        key, _ = _parse_override(override)
        if not any(f"{key}.".startswith(f"{read}.") for read in reads):
            read_keys = ", ".join(f"`{read}`" for read in reads) or "no key"
            raise errors.InputError(
                f"`--set {override}` has no effect on this command: it reads "
                f"{read_keys} of the configuration; leave it out"
            )


def _merge(
    base: dict[str, Any],
    overlay: dict[str, Any],
    model: type[pydantic.BaseModel],
    label: str,
    origin: dict[str, str],
    prefix: str,
) -> None:
    """Lays `overlay` over `base` in place, table by table."""
    for name, value in overlay.items():
        key = prefix + name
        field = model.model_fields.get(name)
        if field is None:
            raise errors.InputError(_unknown_key(key, label))
        section, keyed = section_of(field.annotation)
        if section is None:
            base[name] = value
            _replace_origin(origin, key, label)
            continue
        if not isinstance(value, dict):
            raise errors.InputError(
                f"`{key}` is a table of keys; got {value!r} ({label})"
            )
        table = base.setdefault(name, {})
        if not keyed:
            _merge(table, value, section, label, origin, key + ".")
            continue
        for entry, content in value.items():
            if not isinstance(content, dict):
                raise errors.InputError(
                    f"`{key}.{entry}` is a table of keys; got {content!r} ({label})"
                )
            origin.pop(key, None)
            _merge(
                table.setdefault(entry, {}),
                content,
                section,
                label,
                origin,
                f"{key}.{entry}.",
            )


def _replace_origin(origin: dict[str, str], key: str, label: str) -> None:
    for old in [k for k in origin if k.startswith(key + ".")]:
        del origin[old]
    origin[key] = label


def section_of(annotation: Any) -> tuple[type[pydantic.BaseModel] | None, bool]:
    """Returns the section behind a field, and whether it is a table of such."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation, False
    if typing.get_origin(annotation) is dict:
        value = typing.get_args(annotation)[1]
        if isinstance(value, type) and issubclass(value, pydantic.BaseModel):
            return value, True
    return None, False


@functools.cache
def _known_keys() -> tuple[str, ...]:
    def walk(model: type[pydantic.BaseModel], prefix: str) -> Iterator[str]:
        for name, field in model.model_fields.items():
            section, keyed = section_of(field.annotation)
            yield prefix + name
            if section is not None:
                inner = f"{prefix}{name}.NAME." if keyed else f"{prefix}{name}."
                yield from walk(section, inner)

    return tuple(walk(settings.HeedConfig, ""))


def _unknown_key(key: str, label: str) -> str:
    nearest = difflib.get_close_matches(key, _known_keys(), n=1, cutoff=0.0)
    return f"unknown config key `{key}` ({label}); did you mean `{nearest[0]}`?"


def _describe(error: pydantic.ValidationError, origin: dict[str, str]) -> str:
    sentences = []
    for problem in error.errors():
        parts = [str(part) for part in problem["loc"]]
        keys = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        label = next((origin[key] for key in keys if key in origin), "")
        message = problem["msg"].removeprefix("Value error, ")
        if not parts:
            sentences.append(message)
            continue
        came_from = f" ({label})" if label else ""
        # Rules between keys name what came themselves; the whole table would bury it.
        is_table = isinstance(problem["input"], dict)
        came = "" if is_table else f"; got {problem['input']!r}"
        sentences.append(f"`{keys[0]}`: {message}{came}{came_from}")
    return "; ".join(sentences)
