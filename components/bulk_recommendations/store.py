"""The folder of slates: its files, and what of them is still missing.

`slates-00003-of-00064.parquet` are the shards: whole, or not there. Names that begin
with `_` are not part of the data set for those who read the folder as one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from components.ingestion import counts
from schema import errors, files

SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_id", pa.list_(pa.string())),
        ("score", pa.list_(pa.float32())),
    ]
)
"""Of a shard: one row a user, sorted by the bytes of the id; items best first."""
_REQUEST, _REPORT = "_request.json", "_report.json"
_HISTORIES, _COUNTS = "_histories", "counts.json"
REJECTED = "_rejected"


@dataclasses.dataclass(frozen=True)
class Store:
    """Where slates are written, and what they are the answer to."""

    folder: str
    """On this machine."""
    num_shards: int
    """Users are divided by a hash of their id."""

    @property
    def histories_dir(self) -> str:
        """Folder of the histories, shard by shard, until all slates are there."""
        return os.path.join(self.folder, _HISTORIES)

    @property
    def rejected_dir(self) -> str:
        """Folder of the refused rows: `rejected-00000.jsonl.gz` for the first file."""
        return os.path.join(self.folder, REJECTED)

    def shard(self, number: int) -> str:
        """Returns the path of a shard."""
        name = f"slates-{number:05d}-of-{self.num_shards:05d}.parquet"
        return os.path.join(self.folder, name)

    def history(self, number: int) -> str:
        """Returns the path of the histories of a shard's users."""
        return os.path.join(self.histories_dir, f"{number:05d}.arrow")

    def missing(self) -> list[int]:
        """Returns the numbers of the shards that are not there."""
        numbers = range(self.num_shards)
        return [n for n in numbers if not os.path.exists(self.shard(n))]

    def make(self) -> None:
        """Makes the folder where there is none; raises InputError where it cannot."""
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise errors.InputError(
                f"`--output` {self.folder} cannot be made: {error.strerror}; it is a "
                "folder, which holds one Parquet file a shard"
            ) from error

    def open(self, request: dict[str, Any]) -> None:
        """Begins an empty folder, or checks that the other answers the same request.

        Args:
          request: all that the slates depend on, as JSON.

        Raises:
          InputError: the folder holds something else, or answers to another request.
        """
        path = pathlib.Path(self.folder, _REQUEST)
        if path.is_file():
            _check_same(request, json.loads(path.read_text()), self.folder)
            return
        there = sorted(n for n in os.listdir(self.folder) if not n.startswith("."))
        if there:
            raise errors.InputError(
                f"`--output` {self.folder} holds {there[0]!r} and no slates: give "
                "another folder, or an empty one"
            )
        files.write_atomically(path, json.dumps(request, indent=1, sort_keys=True))

    def begin_histories(self) -> None:
        """Removes what a run that was killed left of histories and refused rows."""
        for folder in (self.histories_dir, self.rejected_dir):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)

    def finish_histories(self, found: counts.Counts) -> None:
        """Says that all histories are there, and what was counted on the way."""
        path = os.path.join(self.histories_dir, _COUNTS)
        files.write_atomically(path, json.dumps(found))

    def counted(self) -> counts.Counts | None:
        """Returns what was counted of the histories; None: they are not all there."""
        path = pathlib.Path(self.histories_dir, _COUNTS)
        return json.loads(path.read_text()) if path.is_file() else None

    def report(self) -> dict[str, Any] | None:
        """Returns what the last run came to; None: it has not finished."""
        path = pathlib.Path(self.folder, _REPORT)
        return json.loads(path.read_text()) if path.is_file() else None

    def finish(self, report: dict[str, Any]) -> None:
        """Writes the report, and removes what only an unfinished run needs."""
        path = os.path.join(self.folder, _REPORT)
        files.write_atomically(path, json.dumps(report, indent=1, sort_keys=True))
        shutil.rmtree(self.histories_dir, ignore_errors=True)

    def num_users(self) -> int:
        """Returns the users of all shards that are there."""
        there = set(range(self.num_shards)) - set(self.missing())
        return sum(parquet.read_metadata(self.shard(n)).num_rows for n in there)


def _check_same(asked: dict[str, Any], before: dict[str, Any], folder: str) -> None:
    for key in sorted(asked.keys() | before.keys()):
        if asked.get(key) != before.get(key):
            raise errors.InputError(
                f"`--output` {folder} holds slates of another request: `{key}` was "
                f"{_short(before.get(key))} and is {_short(asked.get(key))}. Give "
                "another folder, or remove this one"
            )


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 60 else f"{text[:57]}..."
