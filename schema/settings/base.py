"""What all sections share."""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Polarity = Literal["positive", "negative", "neutral"]
SectionT = TypeVar("SectionT", bound="Section")


def _none_from_text(value: object) -> object:
    """TOML has no null: the word stands for it."""
    return None if value == "none" else value


OR_NONE = BeforeValidator(_none_from_text)
"""Marks a setting that the word switches off."""


class Section(BaseModel):
    """One table of the configuration: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def to_json(self) -> str:
        """Returns canonical JSON (sorted keys), the form that enters metadata."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls: type[SectionT], text: str) -> SectionT:
        """Returns the section that `to_json` wrote."""
        return cls.model_validate_json(text)
