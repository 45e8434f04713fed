"""Keys and passwords inside of addresses: found, so that nothing repeats them."""

from __future__ import annotations

import re

# What stands between `://` and `@`; a secret key may hold slashes, a user's name not.
_IN_ADDRESS = re.compile(r"://(?:[^/@\s:]*:[^@\s]*|[^/@\s]+)@")


def redacted(text: str) -> str:
    """Returns the text with the credentials of every address in it left out.

    Example:
      >>> redacted("s3://AKIA:wJalr/XUt@bucket/log.csv and s3://bucket/a@b.csv")
      's3://***@bucket/log.csv and s3://bucket/a@b.csv'
    """
    return _IN_ADDRESS.sub("://***@", text)


def are_in(text: str) -> bool:
    """Returns whether an address in the text holds credentials."""
    return _IN_ADDRESS.search(text) is not None
