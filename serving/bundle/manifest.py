"""What a served model says of itself: `assets.extra/manifest.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from schema import errors, files

MANIFEST_FILE = os.path.join("assets.extra", "manifest.json")


def read(directory: str | Path) -> dict[str, Any]:
    """Returns what IndexBuilder wrote about the model; empty if there is nothing.

    Raises:
      InputError: the file holds no JSON object.
    """
    path = os.path.join(directory, MANIFEST_FILE)
    try:
        content = json.loads(files.read_bytes(path))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise errors.InputError(
            f"{path}: expected a JSON object; {error}. The model is damaged or half "
            "copied: copy it again, or make it anew with `heed run`"
        ) from error
    if not isinstance(content, dict):
        raise errors.InputError(
            f"{path}: expected a JSON object; got {str(content)[:60]!r}"
        )
    return content


def model_id(directory: str | Path) -> str | None:
    """Returns the digest that ties reports to the model; None where it has none."""
    return read(directory).get("model_id")


def max_length(directory: str | Path) -> int | None:
    """Returns how many elements of a history the model reads; None: not known."""
    history = read(directory).get("config", {}).get("history", {})
    length: int | None = history.get("max_length")
    return length
