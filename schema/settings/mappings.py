"""How a foreign log and its catalogue become canonical."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from schema.settings.base import Section

TimeUnit = Literal["s", "ms", "us", "ns", "iso8601"]


class EventColumns(Section):
    """Names of the source columns that hold the canonical event's fields."""

    user_id: str = "user_id"
    """Text or whole number."""
    item_id: str = "item_id"
    """Text or whole number."""
    timestamp: str = "timestamp"
    """A number of `timestamp_unit`, its text, or a typed time."""
    action: str = "action"
    """Empty: the log has no action column and `action_rules` decide."""
    value: str = "value"
    """Empty: no value. A column that the file lacks counts as no value."""
    sequence: str = "sequence"
    """Order within equal timestamps. Empty or absent: none."""


class ActionRule(Section):
    """One rule: rows whose `column` satisfies every given bound get `action`."""

    column: str
    action: str
    equals: str | float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_condition(self) -> ActionRule:
        if self.equals is None and self.at_least is None and self.at_most is None:
            raise ValueError("a rule needs `equals`, `at_least` or `at_most`")
        return self


class EventMapping(Section):
    """Turns a foreign event log into canonical events."""

    columns: EventColumns = EventColumns()
    timestamp_unit: TimeUnit = "ms"
    """Unit of `timestamp` where it is a number. `iso8601`: it is text, such as
    2024-02-29T12:00:00+01:00; a date is its midnight, a time without zone is UTC."""
    missing_values: tuple[str, ...] = ()
    """Cell texts that mean "no value" in any column, such as `NULL` or `\\N`."""
    value_divided_by: str = ""
    """Column that divides `value`, as in dwell time by duration; empty: none."""
    action_rules: tuple[ActionRule, ...] = ()
    """First match wins; only used where `columns.action` is empty."""
    default_action: str = ""
    """Action of rows that no rule matches; empty: such rows are rejected."""


class ItemColumns(Section):
    """Names of the source columns that hold the canonical item's fields."""

    item_id: str = "item_id"
    """Text or whole number, as in the log."""
    creator_id: str = "creator_id"
    """Empty or absent: none."""
    categories: str = "categories"
    """A list, or a text with `list_separator`; empty or absent: none."""
    title: str = "title"
    """Empty or absent: none."""
    image_url: str = "image_url"
    """http(s) address of a picture that the what-if page shows; empty or absent: none.
    Another address is counted and dropped."""
    created_at: str = "created_at"
    """When the item came to be; empty or absent: not known."""
    withdrawn: str = "withdrawn"
    """True or 1: never to be recommended; false, 0, empty or absent: may be."""


class ItemMapping(Section):
    """Turns a foreign catalogue into canonical items."""

    columns: ItemColumns = ItemColumns()
    created_at_unit: TimeUnit = "ms"
    """Unit of `created_at` where it is a number; `iso8601` as above."""
    list_separator: str = "|"
    """Between the values of a list that is one text."""
    missing_values: tuple[str, ...] = ()
    """Cell texts that mean "no value", such as `(no genres listed)`."""


class Mapping(Section):
    """How one foreign source becomes canonical."""

    events: EventMapping = EventMapping()
    items: ItemMapping = ItemMapping()
