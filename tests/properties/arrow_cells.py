"""Arrow's types with cells of each, and what a cell means: the oracle of ingestion.

It knows Python's values and the documented rules, not the components.
"""

from __future__ import annotations

import decimal
import math
import uuid
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

D = decimal.Decimal
NOW = 1_700_000_000_000
DAY_MS = 86_400_000
REFUSED, MISSING = "refused", "missing"
ACTIONS = ("dislike", "like")
TEXTS = ["7", "7.0", "7.5", " 8", "x", "", " ", "a|b", "like", "1", "true", str(NOW)]
FLOATS = [7.0, 7.5, 1.0, 0.0, math.nan, math.inf]


class Kind(NamedTuple):
    """A type, and cells of it: as Arrow takes them, and as people know them."""

    type: pa.DataType
    cells: list[tuple[Any, Any]]
    family: str


def same(kind: pa.DataType, cells: list, family: str) -> Kind:
    return Kind(kind, [(cell, cell) for cell in cells], family)


def times(kind: pa.DataType, per_sec: int) -> Kind:
    ticks = [0, NOW // 1000 * per_sec, -per_sec, NOW // 1000 * per_sec + per_sec // 7]
    return Kind(kind, [(n, n * 1000 // per_sec) for n in ticks], "time")


PER_SEC = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
SCALARS = [
    same(pa.null(), [], "int"),
    same(pa.bool_(), [True, False], "bool"),
    *[
        same(kind, [0, 1, 7, 100], "int")
        for kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16())
    ],
    same(pa.uint32(), [0, 1, 2**32 - 1], "int"),
    same(pa.int64(), [0, 1, -(2**63), 2**63 - 1, 2**53 + 1, NOW], "int"),
    same(pa.uint64(), [0, 1, 2**63, 2**64 - 1, NOW], "int"),
    Kind(pa.float16(), [(np.float16(n), n) for n in FLOATS], "float"),
    same(pa.float32(), FLOATS, "float"),
    same(pa.float64(), [*FLOATS, 1e300, 2.0**53, 1e17, float(NOW)], "float"),
    same(pa.decimal128(38, 0), [D(7), D(1), D(0), D(NOW), D("9" * 30)], "decimal"),
    same(pa.decimal128(38, 10), [D("7.5"), D(7), D(1), D(NOW) + D("0.25")], "decimal"),
    same(pa.decimal256(60, 2), [D("7.5"), D(7), D("9" * 30), D(NOW)], "decimal"),
    same(pa.string(), TEXTS, "text"),
    same(pa.large_string(), TEXTS, "text"),
    *[
        Kind(kind, [(t.encode(), t) for t in TEXTS] + [(b"\xff", b"\xff")], "text")
        for kind in (pa.binary(), pa.large_binary())
    ],
    Kind(
        pa.binary(16),
        [(uuid.UUID(int=n).bytes, str(uuid.UUID(int=n))) for n in (7, 2**127)],
        "uuid",
    ),
    same(pa.binary(3), [b"abc", b"7.5"], "other"),
    Kind(pa.date32(), [(n, n * DAY_MS) for n in (0, 19_000)], "time"),
    Kind(pa.date64(), [(n * DAY_MS, n * DAY_MS) for n in (0, 19_000)], "time"),
    *[
        times(pa.timestamp(unit, zone), per_sec)
        for unit, per_sec in PER_SEC.items()
        for zone in (None, "UTC", "Asia/Tokyo")
    ],
    *[same(pa.time32(unit), [0, 7], "other") for unit in ("s", "ms")],
    *[same(pa.time64(unit), [0, 7], "other") for unit in ("us", "ns")],
    *[same(pa.duration(unit), [0, 7], "other") for unit in PER_SEC],
    same(pa.month_day_nano_interval(), [(0, 1, 2)], "other"),
]


def nested(kind: Kind) -> list[Kind]:
    """Returns what can be made of a type; known as a list, or not at all."""
    pairs = [[a, b] for a in kind.cells for b in [*kind.cells[:2], (None, None)]]
    lists = [([a for a, _ in pair], [b for _, b in pair]) for pair in pairs]
    family = f"list of {kind.family}"
    return [
        Kind(pa.list_(kind.type), [*lists, ([], [])], family),
        Kind(pa.large_list(kind.type), [*lists, ([], [])], family),
        Kind(pa.list_(kind.type, 2), lists, family),
        Kind(
            pa.struct([("a", kind.type)]),
            [({"a": a}, None) for a, _ in kind.cells],
            "other",
        ),
        Kind(
            pa.map_(pa.string(), kind.type),
            [([("k", a)], None) for a, _ in kind.cells],
            "other",
        ),
    ]


ONCE = [made for kind in SCALARS for made in nested(kind)]
TWICE = [made for kind in ONCE[::7] for made in nested(kind)]
KINDS = [
    *SCALARS,
    *ONCE,
    *[kind._replace(family="other") for kind in TWICE],
]


def is_whole(cell: Any) -> bool:
    if isinstance(cell, D):
        return cell == cell.to_integral_value()
    return math.isfinite(cell) and cell == int(cell)


def as_text(cell: Any, family: str) -> str:
    """Returns an id, a title or the like, MISSING or REFUSED."""
    if family in ("float", "decimal"):
        if family == "float" and math.isnan(cell):
            return MISSING
        if family == "float" and abs(cell) > 2**53:
            return REFUSED
        return str(int(cell)) if is_whole(cell) else REFUSED
    if family in ("int", "uuid"):
        return str(cell)
    if family != "text" or isinstance(cell, bytes):
        return REFUSED
    return cell if cell.strip() else MISSING


def as_number(cell: Any, family: str) -> float | str:
    if family in ("int", "float", "decimal"):
        return MISSING if math.isnan(cell) else float(cell)
    if family != "text" or isinstance(cell, bytes):
        return REFUSED
    if cell == "":
        return MISSING
    try:
        return float(cell)
    except ValueError:
        return REFUSED


def as_time(cell: Any, family: str) -> int | str:
    if family in ("time", "int", "decimal"):
        found = round(cell)
    else:
        number = as_number(cell, family)
        if isinstance(number, str):
            return MISSING if number == MISSING else REFUSED
        if not math.isfinite(number):
            return REFUSED
        found = round(number)
    # What 64 bits do not hold is as far away as can be.
    return found if -(2**63) <= found < 2**63 else int(math.copysign(2**62, found))


def as_sequence(cell: Any, family: str) -> int | str:
    number = cell if family in ("int", "decimal") else as_number(cell, family)
    if isinstance(number, str):
        return number
    if not math.isfinite(number) or not is_whole(number):
        return REFUSED
    if number == -(2**63):
        return MISSING  # the one that stands for no sequence
    limit = 2**53 if family in ("float", "text") else 2**63 - 1
    return int(number) if -limit - 1 <= number <= limit else REFUSED


def is_fit(family: str, use: str) -> bool:
    """Returns whether a column of a type is welcome at all."""
    if use == "texts":
        family = family.removeprefix("list of ")
    welcome = {"int", "float", "decimal", "text"}
    welcome |= {"time": {"time"}, "number": set()}.get(use, {"uuid"})
    return family in welcome or (use == "condition" and family == "bool")


def as_set(cell: Any, family: str) -> set[str] | str:
    """Returns categories."""
    if not is_fit(family, "texts"):
        return REFUSED
    if family.startswith("list of "):
        found = [
            as_text(part, family.removeprefix("list of "))
            for part in cell
            if part is not None
        ]
    else:
        text = as_text(cell, family)
        found = (
            [part.strip() for part in text.split("|")] if text != REFUSED else [text]
        )
    if REFUSED in found:
        return REFUSED
    return {text.strip() for text in found if text not in ("", MISSING)} or MISSING


def as_truth(cell: Any, family: str) -> bool | str:
    text = as_text(cell, family)
    if family == "bool":
        text = str(cell)
    truth = {"true": True, "1": True, "false": False, "0": False, MISSING: False}
    return truth.get(text.strip().lower(), REFUSED)
