"""Which Arrow types may stand where, as what a column is read as.

A file with typed columns is refused before a row of it is read; where a format has
no types, or the rows differ, the rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import pyarrow as pa

Use = Literal["text", "texts", "number", "time", "condition"]
"""What a column is read as."""
Uses = Sequence[tuple[str, Use]]
"""Names of columns, and what each is read as; a name may come twice."""
TEXT: Final = "text"
"""Text, or a whole number: ids, actions, titles."""
TEXTS: Final = "texts"
"""A text that is cut at a separator, or a list: categories."""
NUMBER: Final = "number"
TIME: Final = "time"
"""A number in a declared unit, text, or a typed time."""
CONDITION: Final = "condition"
"""A truth value, or what is compared with a constant: rules, `withdrawn`."""
EXPECTED: Final[dict[Use, str]] = {
    TEXT: "text or whole numbers",
    TEXTS: "text, whole numbers, or a list of them",
    NUMBER: "numbers, or text that holds them",
    TIME: "times, numbers, or text that holds one of them",
    CONDITION: "text, numbers or truth values",
}
"""What each use takes, for messages."""
UUID_BYTES = 16
_Test = Callable[[pa.DataType], bool]
_is = pa.types
_SCALARS: tuple[_Test, ...] = (
    _is.is_null,
    _is.is_integer,
    _is.is_floating,
    _is.is_decimal,
    _is.is_string,
    _is.is_large_string,
    _is.is_binary,
    _is.is_large_binary,
)
_FURTHER: dict[Use, tuple[_Test, ...]] = {
    TEXT: (lambda kind: is_uuid(kind),),
    TEXTS: (lambda kind: is_uuid(kind),),
    NUMBER: (),
    TIME: (_is.is_timestamp, _is.is_date),
    CONDITION: (lambda kind: is_uuid(kind), _is.is_boolean),
}


def is_uuid(kind: pa.DataType) -> bool:
    """Returns whether a type is that of 16 bytes, which is how UUIDs are stored."""
    return bool(_is.is_fixed_size_binary(kind)) and kind.byte_width == UUID_BYTES


def is_list(kind: pa.DataType) -> bool:
    """Returns whether a type is a list of any layout; a map is none."""
    return bool(
        _is.is_list(kind) or _is.is_large_list(kind) or _is.is_fixed_size_list(kind)
    )


def fits(kind: pa.DataType, use: Use) -> bool:
    """Returns whether a column of a type can be read as what it is used for.

    Example:
      >>> fits(pa.list_(pa.string()), TEXTS), fits(pa.bool_(), TEXT)
      (True, False)
    """
    if use == TEXTS and is_list(kind):
        kind = kind.value_type
    if _is.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in (*_SCALARS, *_FURTHER[use]))
