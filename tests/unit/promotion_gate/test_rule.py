import json
import math

import pytest

from components.promotion_gate import rule
from schema import reports


@pytest.mark.parametrize("value", [math.nan, None, math.inf, -math.inf])
def test_what_was_not_measured_passes_no_rule(value):
    for compare in (rule.at_least, rule.above):
        result = compare("x", value, -9.0)
        assert not result.passed
        assert result.observed is None  # and never NaN, which JSON does not know
        assert "nothing was measured" in result.hint
    assert not rule.at_most("x", value, 9.0).passed


@pytest.mark.parametrize("compare", [rule.at_least, rule.above, rule.at_most])
def test_limit_that_is_no_number_is_never_met(compare):
    result = compare("x", 1.0, math.nan)
    assert not result.passed
    assert result.required.endswith("a share of a figure that is missing")


def test_limits_themselves_are_met_but_for_above():
    for compare, passed in (
        (rule.at_least, True),
        (rule.at_most, True),
        (rule.above, False),
    ):
        assert compare("x", 1.0, 1.0).passed == passed


def test_only_a_rule_that_failed_keeps_its_hint():
    passed, failed = (rule.at_least("x", seen, 0.5, "why") for seen in (0.6, 0.4))

    assert json.loads(reports.to_json(passed)) == {
        "name": "x",
        "observed": 0.6,
        "required": ">= 0.5",
        "passed": True,
    }
    assert failed.hint == "why"
