"""Writes the JSON answers of TensorFlow Serving's REST API.

Text outputs that are not valid UTF-8 come as `{"b64": ...}`, where TensorFlow Serving
would write bytes that no JSON parser reads.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.bundle import signature


def render(outputs: signature.Tensors, *, row_form: bool) -> bytes:
    """Returns the response body: `predictions` in row form, else `outputs`.

    One output alone stands without its name. Non-finite scores are the bare tokens
    `NaN`, `Infinity` and `-Infinity`, as in TensorFlow Serving.

    Args:
      outputs: Arrays by name, [rows, ...].
      row_form: Whether the request used `instances`.
    """
    columns = {name: _to_lists(name, outputs[name]) for name in sorted(outputs)}
    key = b'{"predictions": ' if row_form else b'{"outputs": '
    if len(columns) == 1:
        (value,) = columns.values()
        parts = _list(value)
    elif row_form:
        rows = zip(*columns.values(), strict=True)
        parts = _list([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        parts = _object(columns)
    return b"".join([key, *parts, b"}"])


# Row by row: the encoder lets no other thread run while it writes one value.
def _list(rows: Any) -> Iterator[bytes]:
    if not isinstance(rows, list):
        yield _dumps(rows)
        return
    for number, row in enumerate(rows):
        yield b", " if number else b"["
        yield _dumps(row)
    yield b"]" if rows else b"[]"


def _object(columns: dict[str, Any]) -> Iterator[bytes]:
    for number, (name, rows) in enumerate(columns.items()):
        yield b", " if number else b"{"
        yield _dumps(name) + b": "
        yield from _list(rows)
    yield b"}" if columns else b"{}"


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _to_lists(name: str, array: NDArray[Any]) -> Any:
    if array.dtype.kind in "OSU":
        flat: list[Any] = [
            _text(value, name.endswith("_bytes")) for value in array.flat
        ]
    elif array.dtype == np.float32:
        # Through the shortest decimal text: 0.2, not the 0.20000000298 of a double.
        flat = [float(str(value)) for value in array.flat]
    else:
        return array.tolist()
    nested = np.empty(len(flat), object)
    nested[:] = flat
    return nested.reshape(array.shape).tolist()


def _text(value: bytes | str, as_base64: bool) -> Any:
    if isinstance(value, bytes) and not as_base64:
        try:
            return value.decode()
        except UnicodeDecodeError:
            as_base64 = True
    if as_base64:
        raw = value.encode() if isinstance(value, str) else value
        return {"b64": base64.b64encode(raw).decode()}
    return value
