"""Statistics of logged serving requests, in the features of the training examples.

A request log is JSON Lines, plain or gzip: a line is the body of one REST request, in
either form (`{"instances": [...]}` or `{"inputs": {...}}`), or one instance alone.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
from tensorflow_data_validation import StatsOptions
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio

from schema import errors, features

MAX_REQUESTS = 100_000
"""So many are read, the newest files first: enough for any distribution."""
_MAX_BAD_SHARE = 0.05
_PREFIX = "history_"
_GZIP_SUFFIX = ".gz"


class Requests(NamedTuple):
    """What a request log holds."""

    statistics: statistics_pb2.DatasetFeatureStatisticsList
    """Of `item_id`, `action`, `value` and `value_present`."""
    num_requests: int
    """Instances with a history."""
    num_bad_lines: int
    """Lines that are no request."""


def read(location: str, max_requests: int = MAX_REQUESTS) -> Requests:
    """Returns the statistics of the logged requests.

    Args:
      location: path or glob.
      max_requests: reading stops there.

    Raises:
      InputError: no file matches, no line holds a history, or too many are bad.
    """
    # Logs are named by time: the last name is the newest file.
    paths = sorted(fileio.glob(location), reverse=True)
    if not paths:
        raise errors.InputError(
            f"`checks.request_log` = {location!r} matches no file; expected JSON Lines "
            f"with a REST request body a line. Mend the path, or leave it empty."
        )
    rows: list[dict[str, list[Any]]] = []
    num_lines = 0
    bad: list[str] = []
    for path in paths:
        for number, line in _lines(path):
            if len(rows) >= max_requests:
                break
            num_lines += 1
            try:
                rows.extend(filter(None, map(_columns, _instances(json.loads(line)))))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                bad.append(f"{path}, line {number}: {error!r}")
    if not rows or len(bad) > _MAX_BAD_SHARE * num_lines:
        first = f"; the first bad one is {bad[0]}" if bad else ""
        raise errors.InputError(
            f"`checks.request_log` = {location!r}: {len(bad)} of {num_lines} lines are "
            f"no request and {len(rows)} hold a history{first}. Expected REST request "
            f'bodies, such as {{"instances": [{{"history_item_id": ["a"], '
            f'"history_action": ["like"]}}]}}.'
        )
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    batch = pa.RecordBatch.from_arrays(
        [pa.array(column) for column in columns.values()], list(columns)
    )
    statistics = stats_impl.generate_statistics_in_memory(batch, StatsOptions())
    return Requests(statistics, len(rows), len(bad))


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    with fileio.open(path, "rb") as file:
        content = file
        if path.endswith(_GZIP_SUFFIX):
            content = gzip.GzipFile(fileobj=file)
        for number, line in enumerate(content, start=1):
            if line.strip():
                yield number, line


def _instances(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the requests of one body, each with lists of one dimension."""
    if "instances" in body:
        return list(body["instances"])
    if "inputs" not in body:
        return [body]
    inputs = {
        name: rows for name, rows in body["inputs"].items() if name.startswith(_PREFIX)
    }
    return [
        dict(zip(inputs, rows, strict=True))
        for rows in zip(*inputs.values(), strict=True)
    ]


def _columns(instance: dict[str, Any]) -> dict[str, list[Any]] | None:
    """Returns a history in the form of the examples; None if it is empty."""
    items, actions = (
        instance[_PREFIX + name] for name in (features.ITEM_ID, features.ACTION)
    )
    values = instance.get(_PREFIX + features.VALUE) or [None] * len(items)
    rows = [
        (item.encode(), _action_set(action), _number(value))
        for item, action, value in zip(items, actions, values, strict=True)
        if item  # the empty text pads
    ]
    if not rows:
        return None
    present = [int(not math.isnan(value)) for _, _, value in rows]
    return {
        features.ITEM_ID: [item for item, _, _ in rows],
        features.ACTION: [action for _, action, _ in rows],
        features.VALUE: [
            value if there else 0.0
            for (_, _, value), there in zip(rows, present, strict=True)
        ],
        features.VALUE_PRESENT: present,
    }


def _action_set(action: str) -> bytes:
    names = sorted(set(action.split(features.ACTION_SEPARATOR)))
    return features.ACTION_SEPARATOR.join(names).encode()


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
