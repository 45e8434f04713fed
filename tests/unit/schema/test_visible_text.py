import pytest

from schema import visible_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Amélie \u2013 映画 🎬 \u00a0x", "Amélie \u2013 映画 🎬 \u00a0x"),
        ("a\x1b]0;title\x07b", "a\\x1b]0;title\\x07b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("x\u2066y\u2069\u200f", "x\\u2066y\\u2069\\u200f"),
        ("two\nlines\tand\rmore", "two\\nlines\\tand\\rmore"),
        ("\x85\x9b\u2028", "\\x85\\x9b\\u2028"),
        ("\ufeff\U000e0041", "\\ufeff\\U000e0041"),
        ("lone \ud800", "lone \\ud800"),
        # A family of three, and a Devanagari half form, need their joiners.
        ("👨\u200d👩\u200d👧 क्\u200dष", "👨\u200d👩\u200d👧 क्\u200dष"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_steers_or_deceives_is_spelt_out(text, shown):
    assert visible_text.visible(text) == shown


def test_ends_of_lines_may_be_meant():
    assert visible_text.visible_lines("a\x1b\nb\n") == "a\\x1b\nb\n"
