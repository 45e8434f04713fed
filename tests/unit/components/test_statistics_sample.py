"""The sample of which statistics are counted."""

import hypothesis
from hypothesis import strategies as st

from components.statistics_gen import sample


@hypothesis.given(num=st.integers(0, 300), limit=st.integers(1, 40))
def test_sample_is_even_and_within_the_limit(num, limit):
    records = [b"%d" % n for n in range(num)]

    found = sample.every_nth(iter(records), limit)

    # The least power of two that keeps the limit.
    step = 1
    while -(-num // step) > limit:
        step *= 2
    assert found.records == records[::step]
    assert len(found.records) <= limit
    assert found.num_records == num


def test_a_file_within_the_limit_is_kept_whole():
    assert sample.every_nth([b"a", b"b", b"c"], 3) == ([b"a", b"b", b"c"], 3)


def test_one_record_too_many_halves_the_sample():
    assert sample.every_nth([b"a", b"b", b"c", b"d"], 3) == ([b"a", b"c"], 4)
