"""Reference of the serving signatures, from `serving.bundle.signature`."""

from __future__ import annotations

from docs.site import fields
from serving.bundle import signature

_MEANING = {
    signature.HISTORY_ITEM_ID: 'items of the history, oldest first; `""` pads',
    signature.HISTORY_ACTION: "actions of each, joined by `|`; others are ignored",
    signature.HISTORY_TIMESTAMP: "milliseconds UTC; 0 pads",
    signature.HISTORY_VALUE: "value of each, such as the share watched; NaN: none",
    signature.ITEM_ID: "items that the answer shall be like; it holds none of them",
    signature.EXCLUDE_ITEM_ID: "never in the answer",
    signature.K: "recommendations wanted",
    signature.CATEGORY: "an item has one of them; none: any",
    signature.CREATOR_ID: "likewise; where both are given, both hold",
    signature.USER_CONTROL: "how far to answer dislikes, 0 to "
    f"{signature.MAX_USER_CONTROL:g}; NaN: as the model is served",
    signature.MOST_OF_CREATOR: "items of one creator; 0: any number",
    signature.MOST_OF_CATEGORY: "items of one category; 0: any number",
}
_SIGNATURES = {
    signature.DEFAULT_SIGNATURE: (
        signature.REQUEST_INPUTS,
        "Searches the index. This is the one that a request without a name gets.",
    ),
    signature.FILTERED_SIGNATURE: (
        signature.FILTERED_INPUTS,
        "Searches exactly among the items that pass the filter.",
    ),
    signature.CONTROLLED_SIGNATURE: (
        signature.CONTROLLED_INPUTS,
        "Searches the index, with a user control of the request's own.",
    ),
    signature.DIVERSE_SIGNATURE: (
        signature.DIVERSE_INPUTS,
        "Searches exactly. From the best item on, each is taken that keeps both "
        "limits; fewer than `k` come only where the catalogue has no more.",
    ),
    signature.SIMILAR_SIGNATURE: (
        signature.SIMILAR_INPUTS,
        "Searches exactly for the items most like given ones, by the candidate tower. "
        "The score is a cosine.",
    ),
}
_TAIL = """## Outputs

All answer `item_id` (string) and `score` (float32), [batch, largest k]. A shorter list
is padded with `""` and `-Infinity`. Items of the history and excluded ones are in no
answer.
"""


def render() -> str:
    """Returns the page."""
    parts = [
        "# Signatures\n\nThis page is written from `serving/bundle/signature.py`.\n"
    ]
    for name, (inputs, says) in _SIGNATURES.items():
        parts.append(f"## `{name}`\n\n{says}\n")
        parts += [fields.row("input", "type", "meaning"), fields.row(*["---"] * 3)]
        parts += [
            fields.row(f"`{key}`", spec.describe(), _MEANING[key])
            for key, spec in inputs.items()
        ]
        parts.append("")
    return "\n".join([*parts, _TAIL])
