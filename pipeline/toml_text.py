"""Settings as lines of a TOML file."""

from __future__ import annotations

import json
import re
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def line(key: str, value: Any) -> str:
    """Returns `key = value` for a dotted key.

    Example:
      >>> line("data.source", "mine")
      'data.source = "mine"'
    """
    return f"{'.'.join(map(_key, key.split('.')))} = {_value(value)}"


def _key(part: str) -> str:
    return part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        entries = [f"{_key(k)} = {_value(v)}" for k, v in value.items()]
        kept = [
            e for e, v in zip(entries, value.values(), strict=True) if v is not None
        ]
        return "{ " + ", ".join(kept) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if value is None:
        return '"none"'
    # JSON's strings, numbers and booleans are TOML's.
    return json.dumps(value, ensure_ascii=False)
