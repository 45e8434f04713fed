import pytest

from pipeline.report.wording import formatting


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.04778, "0.0478"),
        (-0.0018, "\u22120.0018"),
        (-0.00001, "0.0000"),
        (None, "\u2013"),
    ],
)
def test_numbers_have_a_real_minus_and_no_negative_zero(value, expected):
    assert formatting.number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.2, "+20.0\u00a0%"), (-0.227, "\u221222.7\u00a0%"), (0.0, "0.0\u00a0%")],
)
def test_changes_carry_their_sign(value, expected):
    assert formatting.signed_percent(value) == expected


def test_what_is_missing_is_a_dash_in_every_form():
    forms = (
        formatting.number,
        formatting.signed,
        formatting.percent,
        formatting.signed_percent,
        formatting.count,
    )
    assert {form(None) for form in forms} == {"\u2013"}


def test_counts_and_nouns():
    assert formatting.count(1234567) == "1,234,567"
    assert formatting.counted(1, "rule") == "1 rule"
    assert formatting.counted(2000, "rule") == "2,000 rules"


def test_time_is_utc():
    # 2021-01-01 is 18,628 days after the epoch.
    assert formatting.utc_time(18_628 * 86_400_000) == "2021-01-01 00:00 UTC"
