"""Why a row of an item catalogue is refused, beside the reasons of `schema.events`.

The names of the canonical item's fields stand in `schema.features`.
"""

from __future__ import annotations

from typing import Final

BAD_CREATOR_ID: Final = "bad_creator_id"
"""A fraction, or text that is not UTF-8."""
BAD_TITLE: Final = "bad_title"
BAD_CATEGORIES: Final = "bad_categories"
"""One of them is a fraction, or text that is not UTF-8."""
BAD_CREATED_AT: Final = "bad_created_at"
"""Not a time, or out of the range of 64-bit milliseconds."""
BAD_ITEM_FEATURE: Final = "bad_item_feature"
"""A declared feature with edges is not a number, one without edges no text."""
BAD_WITHDRAWN: Final = "bad_withdrawn"
"""Neither true nor false, nor 1 or 0."""
DUPLICATE_ITEM_ID: Final = "duplicate_item_id"
"""Another row with the same id but other fields came first."""
