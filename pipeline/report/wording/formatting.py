"""Numbers as text. A missing number is an en dash, never 0 and never empty."""

from __future__ import annotations

import datetime

DASH = "\u2013"
_MINUS = "\u2212"


def number(value: float | None, digits: int = 4) -> str:
    """Returns a number with fixed digits.

    Example:
      >>> number(0.04778), number(1234.5, 1)
      ('0.0478', '1,234.5')
    """
    if value is None:
        return DASH
    # Adding 0 turns the -0.0 that rounding may leave into 0.0.
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", _MINUS)


def signed(value: float | None, digits: int = 4) -> str:
    """Returns a number with its sign, as differences have it."""
    if value is None:
        return DASH
    text = number(value, digits)
    return f"+{text}" if round(value, digits) > 0 else text


def percent(share: float | None, digits: int = 1) -> str:
    """Returns a share in percent.

    Example:
      >>> percent(0.04778).split()
      ['4.8', '%']
    """
    return DASH if share is None else f"{number(100.0 * share, digits)}\u00a0%"


def signed_percent(share: float | None, digits: int = 1) -> str:
    """Returns a relative change in percent, with its sign."""
    return DASH if share is None else f"{signed(100.0 * share, digits)}\u00a0%"


def count(value: int | None) -> str:
    """Returns a whole number with separators of thousands."""
    return DASH if value is None else f"{value:,}"


def counted(value: int, singular: str, plural: str | None = None) -> str:
    """Returns a count with its noun.

    Example:
      >>> counted(1, "user"), counted(1200, "user")
      ('1 user', '1,200 users')
    """
    return f"{value:,} {singular if value == 1 else plural or singular + 's'}"


def share_of(part: int, whole: int) -> float | None:
    """Returns part / whole; None where there is no whole."""
    return part / whole if whole else None


def utc_time(timestamp_ms: int) -> str:
    """Returns a point in time, to the minute.

    Example:
      >>> utc_time(0)
      '1970-01-01 00:00 UTC'
    """
    seconds = timestamp_ms // 1000
    time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return time.strftime("%Y-%m-%d %H:%M UTC")
