"""Why a row of an event log is refused.

An event is one row of the log; an interaction is one exposure, merged from the rows
of one user and item; an example is one window of one user's interactions. The names
that events share with the examples stand in `schema.features`.
"""

from __future__ import annotations

from typing import Final

# The row cannot be read.
WRONG_CELL_COUNT: Final = "wrong_cell_count"
BAD_CSV: Final = "bad_csv"
BAD_JSON: Final = "bad_json"
BAD_UTF8: Final = "bad_utf8"
BAD_TYPE: Final = "bad_type"
"""A list, an object or a truth value where text or a number belongs."""
TRUNCATED_FILE: Final = "truncated_file"
"""What could not be read of a damaged file; one row stands for all that is lost
where their number is unknown."""

LINE_TOO_LONG: Final = "line_too_long"
"""Longer than `data.max_line_bytes`."""

# The row can be read, but is no canonical event. The first reason that applies wins.
MISSING_USER_ID: Final = "missing_user_id"
BAD_USER_ID: Final = "bad_user_id"
"""A fraction, or text that is not UTF-8."""
NEWLINE_IN_USER_ID: Final = "newline_in_user_id"
"""Vocabulary files hold one entry a line."""
MISSING_ITEM_ID: Final = "missing_item_id"
BAD_ITEM_ID: Final = "bad_item_id"
NEWLINE_IN_ITEM_ID: Final = "newline_in_item_id"
USER_ID_REASONS: Final = (MISSING_USER_ID, BAD_USER_ID, NEWLINE_IN_USER_ID)
ITEM_ID_REASONS: Final = (MISSING_ITEM_ID, BAD_ITEM_ID, NEWLINE_IN_ITEM_ID)
MISSING_TIMESTAMP: Final = "missing_timestamp"
BAD_TIMESTAMP: Final = "bad_timestamp"
TIMESTAMP_IN_SECONDS: Final = "timestamp_in_seconds"
"""Out of range as milliseconds, in range as seconds."""
TIMESTAMP_IN_MILLISECONDS: Final = "timestamp_in_milliseconds"
"""Out of range as seconds, in range as milliseconds."""
TIMESTAMP_IN_ISO_8601: Final = "timestamp_in_iso8601"
"""Text of a time where a number is declared: `timestamp_unit = "iso8601"` reads it."""
TIMESTAMP_OUT_OF_RANGE: Final = "timestamp_out_of_range"
FUTURE_TIMESTAMP: Final = "future_timestamp"
"""Later than the moment of ingestion and `data.max_future_ms` allow."""
MISSING_ACTION: Final = "missing_action"
UNKNOWN_ACTION: Final = "unknown_action"
"""Not an action of the feedback policy."""
NO_RULE_MATCHED: Final = "no_rule_matched"
BAD_VALUE: Final = "bad_value"
NON_FINITE_VALUE: Final = "non_finite_value"
BAD_SEQUENCE: Final = "bad_sequence"

# A good event that the policy drops.
LATE_TIMESTAMP: Final = "late_timestamp"
"""Before `data.lookback_window_days`."""
OVER_DAILY_LIMIT: Final = "over_daily_limit"
