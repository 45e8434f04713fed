"""Writes tf.Examples in protocol-buffer wire format from encoded columns.

The format is public and frozen: a message is a row of fields, each a tag byte
(field number times 8, plus 2 for "length follows"), a length and a body. An Example is

    Example  { Features features = 1; }
    Features { map<string, Feature> feature = 1; }   # entries { key = 1; value = 2; }
    Feature  { BytesList = 1 | FloatList = 2 | Int64List = 3, each { value = 1; } }

where numbers are packed into one field and texts are one field each.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

BYTES, FLOAT, INT64 = 1, 2, 3
"""Field numbers of the lists in a Feature."""
_FIELD_1 = b"\x0a"
_FIELD_2 = b"\x12"


@functools.lru_cache(maxsize=2**16)
def varint(number: int) -> bytes:
    r"""Returns a number that is not negative, seven bits a byte, lowest first.

    Example:
      >>> varint(300)
      b'\xac\x02'
    """
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    result.append(number)
    return bytes(result)


@dataclasses.dataclass(frozen=True)
class Payload:
    """The encoded elements of a column, one after the other."""

    data: bytes | memoryview
    """All bytes."""
    ends: int | NDArray[np.int64]
    """Bytes of one element, or [elements + 1] int64 of where each begins."""

    def slices(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> list[bytes]:
        """Returns the bytes of the elements of each range."""
        if isinstance(self.ends, int):
            first, last = begin * self.ends, end * self.ends
        else:
            first, last = self.ends[begin], self.ends[end]
        data = self.data
        return [
            bytes(data[i:j]) for i, j in zip(first.tolist(), last.tolist(), strict=True)
        ]


def texts(values: pa.Array, codes: NDArray[np.integer[Any]] | None = None) -> Payload:
    """Returns texts as fields of a BytesList: tag, length, bytes.

    Args:
      values: string or binary, without nulls.
      codes: indices of the wanted ones; None: all in order.
    """
    values = values.cast(pa.large_binary())
    lengths = np.asarray(compute.binary_length(values)).astype(np.int64)
    distinct, head_of = np.unique(lengths, return_inverse=True)
    heads = pa.array(
        [_FIELD_1 + varint(length) for length in distinct.tolist()], pa.large_binary()
    )
    empty = pa.scalar(b"", pa.large_binary())
    head = heads.take(pa.array(head_of))
    fields = compute.binary_join_element_wise(head, values, empty)
    if codes is not None:
        fields = fields.take(pa.array(codes))
    _, offsets, data = fields.buffers()
    ends = np.frombuffer(offsets, np.int64, len(fields) + 1)
    return Payload(memoryview(data) if data else b"", ends)


def varints(numbers: NDArray[np.int64]) -> Payload:
    """Returns int64 numbers as varints; negative ones take ten bytes."""
    rest = numbers.astype(np.int64).view(np.uint64)
    width = max(1, -(-int(rest.max(initial=0)).bit_length() // 7))
    digits = np.empty((len(rest), width), np.uint8)
    more = np.zeros((len(rest), width), bool)
    for digit in range(width):
        digits[:, digit] = rest & np.uint64(0x7F)
        rest = rest >> np.uint64(7)
        more[:, digit] = rest != 0
    digits[more] |= 0x80
    if width == 1 or more[:, width - 2].all():
        return Payload(digits.tobytes(), width)
    used = np.ones_like(more)
    used[:, 1:] = more[:, :-1]
    ends = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    return Payload(digits[used].tobytes(), ends)


@functools.lru_cache(maxsize=2**16)
def _entry_head(name: str, kind: int, num_bytes: int) -> bytes:
    """Returns what stands before an entry's payload of some length."""
    payload_head = b""
    if kind != BYTES:
        payload_head = _FIELD_1 + varint(num_bytes)
    list_bytes = len(payload_head) + num_bytes
    tag = bytes([kind << 3 | 2])
    feature_head = tag + varint(list_bytes) + payload_head
    key = name.encode("utf-8")
    head = (
        _FIELD_1
        + varint(len(key))
        + key
        + _FIELD_2
        + varint(len(feature_head) + num_bytes)
        + feature_head
    )
    return _FIELD_1 + varint(len(head) + num_bytes) + head


def entry(name: str, kind: int, payload: bytes) -> bytes:
    """Returns one feature as an entry of the feature map.

    Args:
      name: of the feature.
      kind: `BYTES`, `FLOAT` or `INT64`.
      payload: the encoded elements.
    """
    return _entry_head(name, kind, len(payload)) + payload


def example(entries: Sequence[bytes]) -> bytes:
    """Returns a serialised tf.Example with the given entries, in their order."""
    body = b"".join(entries)
    return _FIELD_1 + varint(len(body)) + body
