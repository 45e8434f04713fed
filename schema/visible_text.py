"""Text of others, shown so that it can neither steer a terminal nor deceive a reader.

Titles and ids come from catalogues. An escape sequence in one would reach the terminal,
and a bidirectional override makes what stands behind it read as something else.
"""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
"""Scripts and emoji need them, and nothing moves by them."""


def visible(text: str) -> str:
    r"""Returns the text with every control and formatting character spelt out.

    Example:
      >>> visible("a\x1b[2Jb \u202e dne")
      'a\\x1b[2Jb \\u202e dne'
    """
    if text.isprintable():
        return text
    return "".join(_spelt(c) if _is_hidden(c) else c for c in text)


def visible_lines(text: str) -> str:
    """Returns the same for text whose ends of lines are meant."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _is_hidden(character: str) -> bool:
    # Cc: control, Cf: formatting, Cs: half of a pair, Zl and Zp: ends of lines.
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS


def _spelt(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
