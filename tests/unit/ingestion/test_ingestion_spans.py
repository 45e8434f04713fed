"""Spans among paths: numbers, dates, versions, and what only looks like one."""

import pytest

from components.ingestion import spans


@pytest.mark.parametrize(
    ("pattern", "paths", "num_spans", "expected"),
    [
        (
            "span-{SPAN}/*.csv",
            ["span-9/a.csv", "span-10/a.csv", "span-10/b.csv", "span-x/a.csv"],
            5,
            [(9, "span-9/*.csv"), (10, "span-10/*.csv")],
        ),
        # Zeros in front stay, whether the pattern asks for them or not.
        (
            "s{SPAN:3}/e.csv",
            ["s007/e.csv", "s8/e.csv"],
            5,
            [(7, "s007/e.csv")],
        ),
        ("s{SPAN}/e.csv", ["s007/e.csv"], 5, [(7, "s007/e.csv")]),
        (
            "{YYYY}/{MM}/{DD}/[ab]?.csv",
            ["1970/01/02/a1.csv", "1970/13/02/a1.csv", "1970/01/03/c1.csv"],
            5,
            [(1, "1970/01/02/[ab]?.csv")],
        ),
        (
            "{SPAN}/v{VERSION}.csv",
            ["1/v10.csv", "1/v2.csv", "2/v1.csv"],
            5,
            [(1, "1/v10.csv"), (2, "2/v1.csv")],
        ),
        ("{SPAN}.csv", ["1.csv", "2.csv", "3.csv"], 2, [(2, "2.csv"), (3, "3.csv")]),
        # The window ends at span 100, and dots mean dots.
        ("{SPAN}.csv", ["101.csv", "99.csv", "98xcsv"], 2, [(99, "99.csv")]),
    ],
)
def test_the_newest_spans(pattern, paths, num_spans, expected):
    assert spans.newest(paths, pattern, 100, num_spans) == expected


def test_names_carry_numbers():
    assert spans.window_of_name(spans.window_name(7)) == 7
    assert spans.window_of_name("source") == 1
    assert spans.span_of_name(spans.span_name(19_675)) == 19_675
    assert spans.span_of_name("source") is None
