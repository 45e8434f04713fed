"""Distinct values over several parts."""

import pyarrow as pa

from components.event_example_gen import distinct


def test_parts_of_parts():
    one = distinct.unique([pa.array(["a", "b"]), pa.array(["b", "c"])])
    both = distinct.unique([one, pa.array([], pa.string()), pa.array(["c", "d"])])
    assert sorted(both.to_pylist()) == ["a", "b", "c", "d"]


def test_no_parts():
    assert len(distinct.unique([])) == 0
