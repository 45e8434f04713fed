"""Which addresses of pictures a page may load.

An address comes from a catalogue and ends up in a page and in the header that says
what the page may load. So it may neither run anything nor add to that header.
"""

from __future__ import annotations

import re

MAX_LENGTH = 2_048
"""Characters; what browsers and the servers between are known to pass on."""

# Letters, digits, dots and hyphens, as a name server writes them: no user, no
# password, no `*`, no `;`. After them no white space and no control characters.
_ADDRESS = re.compile(
    r"(?P<origin>https?://[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?(?::[0-9]{1,5})?)"
    r"(?:[/?#][^\s\x00-\x1f\x7f-\x9f]*)?",
    re.IGNORECASE,
)


def origin(address: str) -> str | None:
    """Returns scheme, host and port of a picture's address in lower case.

    Args:
      address: text of a catalogue.

    Returns:
      None: it is no http(s) address of at most `MAX_LENGTH` characters.

    Example:
      >>> origin("HTTPS://img.example:8443/a.jpg?w=1"), origin("javascript:alert(1)")
      ('https://img.example:8443', None)
    """
    if len(address) > MAX_LENGTH:
        return None
    found = _ADDRESS.fullmatch(address)
    return found["origin"].lower() if found else None
