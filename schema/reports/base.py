"""What the models of all reports share."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    model_validator,
)
from typing_extensions import Self


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


_Float = Annotated[float, Strict()]
Number = Annotated[_Float | None, BeforeValidator(_finite)]
"""NaN and infinity count as missing: no report holds one, and none is believed."""
Share = Annotated[
    Annotated[_Float, Field(ge=0.0, le=1.0)] | None, BeforeValidator(_finite)
]
"""A `Number` in [0, 1]."""
RelativeChange = Annotated[
    Annotated[_Float, Field(ge=-1.0)] | None, BeforeValidator(_finite)
]
"""A `Number`, at least -1: nothing is left."""
Count = Annotated[int, Field(ge=0)]
CountByName = dict[str, Count]


class Content(BaseModel):
    """A part of a report: immutable.

    To build one with a key that is not of the model is an error. `reports.read` leaves
    such keys out: they may be another version's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def check_order(
    low: float | None, value: float | None, high: float | None, name: str
) -> None:
    """Raises `ValueError` unless low <= value <= high, as far as they are there.

    An interval is of a value: where that is missing, so are its ends.
    """
    if value is None and not low is high is None:
        raise ValueError(
            f"must hold {name} where it holds an interval; got low {low}, high {high}"
        )
    present = [end for end in (low, value, high) if end is not None]
    if present != sorted(present):
        raise ValueError(
            f"must hold low <= {name} <= high; got low {low}, {name} {value}, high "
            f"{high}"
        )


class WithInterval(Content):
    """A figure with its interval; low <= figure <= high where they are there."""

    FIGURE: ClassVar[str]
    """Name of the field that the interval is of."""

    low: Number = None
    high: Number = None

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        check_order(self.low, getattr(self, self.FIGURE), self.high, self.FIGURE)
        return self
