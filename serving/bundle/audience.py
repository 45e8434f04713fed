"""Which items share their audience, in a model: `assets.extra/audience.jsonl`.

People are told with it why an item fell or rose; no answer depends on it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from schema import errors, files

AUDIENCE_FILE = os.path.join("assets.extra", "audience.jsonl")


@dataclasses.dataclass(frozen=True, slots=True)
class Shared:
    """What two items have in common by those who met them."""

    both: int
    """Users who met both."""
    users: int
    """Users who met the other item."""


@dataclasses.dataclass(frozen=True, slots=True)
class Audience:
    """Who met an item, of the users that training learnt from."""

    users: int
    nearest: Mapping[str, Shared]
    """The items that share most of it, nearest first."""

    def likeness(self, item_id: str) -> float:
        """Returns the cosine of both audiences, [0, 1]; 0: it is not near.

        Example:
          >>> Audience(50, {"b": Shared(both=20, users=32)}).likeness("b")
          0.5
        """
        shared = self.nearest.get(item_id)
        if shared is None:
            return 0.0
        return shared.both / math.sqrt(self.users * shared.users)


def read(directory: str | Path) -> dict[str, Audience]:
    """Returns the audiences by item id; none where there is no file.

    Args:
      directory: Of the SavedModel.

    Raises:
      InputError: A line of the file is not an audience.
    """
    path = os.path.join(directory, AUDIENCE_FILE)
    try:
        content = files.read_bytes(path)
    except FileNotFoundError:
        return {}
    numbered = enumerate(content.splitlines(), start=1)
    return dict(_parse(line, f"{path}, line {n}") for n, line in numbered)


def _parse(line: bytes, place: str) -> tuple[str, Audience]:
    try:
        row = json.loads(line)
        nearest = {
            str(item_id): Shared(int(both), int(users))
            for item_id, both, users in row["nearest"]
        }
        return str(row["item_id"]), Audience(int(row["users"]), nearest)
    except (ValueError, KeyError, TypeError) as error:
        raise errors.InputError(
            f"{place}: expected a JSON object with `item_id`, `users` and `nearest`, a "
            "list of [item id, users of both, its users]; got "
            f"{line.decode(errors='replace')[:60]!r}"
        ) from error


def lines(audiences: Mapping[str, Audience]) -> list[str]:
    """Returns one JSON line an item, in the order that is given."""
    return [
        json.dumps(
            {
                "item_id": item_id,
                "users": audience.users,
                "nearest": [[i, s.both, s.users] for i, s in audience.nearest.items()],
            },
            ensure_ascii=False,
        )
        + "\n"
        for item_id, audience in audiences.items()
    ]


def write(directory: str, content: Iterable[str]) -> None:
    """Writes the audiences of an exported model; `content` is that of `lines`."""
    path = os.path.join(directory, AUDIENCE_FILE)
    files.write_atomically(path, (line.encode() for line in content))
