"""Keeps the statistics of the data that passed, for the next span to be held against.

They lie in a folder that outlives executions, not in metadata, for three reasons. Data
that were refused must not become the measure of the next ones. A repeated run must not
see its own statistics as news, or nothing would ever be cached. And the open-source
Kubeflow backend has no resolver.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio

_ENTRY = re.compile(r"(\d{6})-[0-9a-f]{16}")
_KEPT = 5
_SUFFIX = ".pb"

Splits = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]


def digest(statistics: Splits) -> str:
    """Returns a digest of all splits, 16 hexadecimal digits."""
    result = hashlib.sha256()
    for split in sorted(statistics):
        content = statistics[split].SerializeToString(deterministic=True)
        result.update(f"{split}\n{len(content)}\n".encode() + content)
    return result.hexdigest()[:16]


def latest(folder: str, other_than: str) -> tuple[str, Splits]:
    """Returns the newest entry of other data, and its path; "" and {} if none.

    Args:
      folder: of the entries; it need not exist.
      other_than: digest of the data that look for their predecessor.
    """
    names = [name for name in _entries(folder) if not name.endswith(f"-{other_than}")]
    if not names:
        return "", {}
    path = os.path.join(folder, names[-1])
    result = {}
    for name in fileio.listdir(path):
        message = statistics_pb2.DatasetFeatureStatisticsList()
        with fileio.open(os.path.join(path, name), "rb") as file:
            message.ParseFromString(file.read())
        result[name.removesuffix(_SUFFIX)] = message
    return path, result


def keep(folder: str, statistics: Splits) -> None:
    """Makes the statistics the newest entry; the oldest ones go."""
    names = _entries(folder)
    own = digest(statistics)
    if names and names[-1].endswith(f"-{own}"):
        return
    number = int(names[-1].partition("-")[0]) + 1 if names else 1
    aside = os.path.join(folder, f".{uuid.uuid4().hex}")
    fileio.makedirs(aside)
    for split, message in statistics.items():
        with fileio.open(os.path.join(aside, split + _SUFFIX), "wb") as file:
            file.write(message.SerializeToString(deterministic=True))
    fileio.rename(aside, os.path.join(folder, f"{number:06d}-{own}"))
    for name in _entries(folder)[:-_KEPT]:
        fileio.rmtree(os.path.join(folder, name))


def _entries(folder: str) -> list[str]:
    if not fileio.exists(folder):
        return []
    # Object stores end the names of folders in a slash.
    names = (name.rstrip("/") for name in fileio.listdir(folder))
    return sorted(name for name in names if _ENTRY.fullmatch(name))
